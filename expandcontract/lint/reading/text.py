"""A whole text into statements: the entry point of reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from expandcontract.lint.expression import function_name
from expandcontract.lint.parse import Piece, pieces, tokens
from expandcontract.lint.reading import alter_table, block, data, objects, session, tables
from expandcontract.lint.statement import (
    Action,
    Broken,
    Dynamic,
    LongIdentifier,
    NotAnalysed,
    Other,
    Statement,
)

Reader = Callable[[dict[str, Any], int], tuple[Action, ...]]

_READERS: dict[str, Reader] = {
    "AlterDatabaseStmt": session.alter_database,
    "AlterDefaultPrivilegesStmt": session.default_privileges,
    "AlterDomainStmt": objects.alter_domain,
    "AlterEnumStmt": objects.alter_enum,
    "AlterExtensionStmt": objects.alter_extension,
    "AlterObjectSchemaStmt": objects.set_schema,
    "AlterOwnerStmt": session.change_owner,
    "AlterPolicyStmt": objects.alter_policy,
    "AlterPublicationStmt": objects.publication,
    "AlterRoleStmt": session.change_role,
    "AlterSeqStmt": objects.alter_sequence,
    "AlterSubscriptionStmt": objects.subscription,
    "AlterSystemStmt": session.cluster_wide("ALTER SYSTEM", "name"),
    "AlterTableMoveAllStmt": alter_table.alter_tables_in_tablespace,
    "AlterTableStmt": alter_table.alter_table,
    "ClusterStmt": data.cluster,
    "CommentStmt": objects.comment,
    "CompositeTypeStmt": objects.create_composite,
    "CopyStmt": data.copy,
    "CreateDomainStmt": objects.create_domain,
    "CreateEnumStmt": objects.create_enum,
    "CreateExtensionStmt": objects.create_extension,
    "CreateFunctionStmt": objects.create_function,
    "CreatePolicyStmt": objects.create_policy,
    "CreatePublicationStmt": objects.publication,
    "CreateSchemaStmt": objects.create_schema,
    "CreateSeqStmt": objects.create_sequence,
    "CreateStatsStmt": objects.create_statistics,
    "CreateStmt": tables.create_table,
    "CreateSubscriptionStmt": session.create_subscription,
    "CreateTableAsStmt": tables.create_table_as,
    "CreateTableSpaceStmt": session.cluster_wide("CREATE TABLESPACE", "tablespacename"),
    "CreateTrigStmt": objects.create_trigger,
    "CreatedbStmt": session.cluster_wide("CREATE DATABASE", "dbname"),
    "DropOwnedStmt": objects.drop_owned,
    "DropRoleStmt": session.change_role,
    "DropStmt": objects.drop,
    "DropSubscriptionStmt": session.cluster_wide("DROP SUBSCRIPTION", "subname"),
    "DropTableSpaceStmt": session.cluster_wide("DROP TABLESPACE", "tablespacename"),
    "DropdbStmt": objects.drop_database,
    "GrantRoleStmt": session.grant_role,
    "GrantStmt": session.grant,
    "IndexStmt": objects.create_index,
    "LockStmt": data.lock_table,
    "ReassignOwnedStmt": session.reassign_owned,
    "RefreshMatViewStmt": data.refresh,
    "ReindexStmt": objects.reindex,
    "RenameStmt": objects.rename,
    "RuleStmt": objects.create_rule,
    "SelectStmt": data.select,
    "TransactionStmt": session.transaction,
    "TruncateStmt": data.truncate,
    "VacuumStmt": data.vacuum,
    "VariableSetStmt": session.set_variable,
    "ViewStmt": objects.create_view,
}
_WRITES = ("InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt")
_TOO_LONG = re.compile(rb'[\w$\x80-\xff]{64}|"(?:[^"]|""){64}')
_COPY_DATA = re.compile(rb"(?ims)^(\s*COPY\b[^;]*\bFROM\s+STDIN\b[^;]*;)(.*?^\\\.[ \t]*$)")
_BACKSLASH_LINE = re.compile(rb"(?m)^[ \t]*\\.*$")
_NOT_SQL = (
    (re.compile(rb"%\(\w+\)s"), "a driver's placeholder"),
    (re.compile(rb"(?<!:):['\"]?[A-Za-z_]\w*"), "a psql variable or a bind parameter"),
    (re.compile(rb"(?i)\b(MERGE|SPLIT)\s+PARTITION"), "PostgreSQL 19 syntax"),
    (re.compile(rb"(?i)^\s*REPACK\b"), "PostgreSQL 19 syntax"),
)


def read(text: str) -> list[Statement]:
    """Give every statement of the text, in order; what can't be parsed is a statement that holds `Broken`."""
    encoded = text.encode("utf-8", "replace").replace(b"\0", b"\x01")  # a NUL would end the text for the parser
    found = list(pieces(encoded))
    notices: list[Statement] = []
    if any(piece.fault for piece in found):
        encoded, notices = _without_psql(encoded)
        if notices:
            found = list(pieces(encoded))
    statements = [statement for piece in found for statement in _statements(encoded, piece)]
    if _TOO_LONG.search(encoded):
        statements = _with_long_identifiers(encoded, statements)
    return sorted(statements + notices, key=lambda statement: statement.start) if notices else statements


def _without_psql(text: bytes) -> tuple[bytes, list[Statement]]:
    """Blank out psql's own lines, offsets unchanged, and report each as not analysed."""
    notices = []

    def blank(match: re.Match[bytes], group: int, what: str) -> bytes:
        start, end = match.span(group)
        start += len(match[group]) - len(match[group].lstrip())
        notices.append(Statement(start, end, "psql", (NotAnalysed(start, what),)))
        return match[0][: match.start(group) - match.start()] + re.sub(rb"[^\n]", b" ", match[group])

    text = _COPY_DATA.sub(lambda match: blank(match, 2, "the rows of COPY … FROM STDIN"), text)
    text = _BACKSLASH_LINE.sub(lambda match: blank(match, 0, "a psql command"), text)
    return text, notices


def _statements(text: bytes, piece: Piece) -> Iterator[Statement]:
    if piece.tree is None:
        yield _broken(text, piece)
        return
    ((tag, body),) = piece.tree.items()
    if tag == "DoStmt":
        yield from _block(text, piece, body)
        return
    actions = _actions(tag, body, piece.start - piece.base)
    if piece.base:
        actions = tuple(action.with_(at=action.at + piece.base) for action in actions)
    yield Statement(piece.start, piece.end, tag, actions, piece.tree, source=text[piece.start : piece.end])


def _broken(text: bytes, piece: Piece) -> Statement:
    fault = piece.fault
    message = fault.message if fault else "can't be read"
    source = text[piece.start : piece.end]
    start = piece.start + len(source) - len(source.lstrip())
    construct = next((what for pattern, what in _NOT_SQL if pattern.search(source)), None)
    if construct:
        message += f" ({construct}?)"
    at = min(fault.offset if fault else start, max(piece.end - 1, piece.start))
    return Statement(start, piece.end, "", (Broken(at, message),))


def _actions(tag: str, body: dict[str, Any], at: int) -> tuple[Action, ...]:
    reader = _READERS.get(tag)
    if reader:
        return reader(body, at)
    if tag in _WRITES:
        return data.write(tag, body, at)
    if tag in ("PrepareStmt", "ExplainStmt"):
        ((inner, query),) = body["query"].items()
        runs = tag == "PrepareStmt" or objects.option(body.get("options", ()), "analyze")
        return _actions(inner, query, at) if runs else (Other(at, tag),)
    if tag == "CallStmt":
        return (NotAnalysed(at, f"the body of the procedure {function_name(body['funccall'])}"),)
    return (Other(at, tag),)


def _block(text: bytes, piece: Piece, body: dict[str, Any]) -> Iterator[Statement]:
    """Read a DO block as the statements it may run, each placed where its text is found."""

    def notice(action: Action) -> Statement:
        return Statement(piece.start, piece.end, "DoStmt", (action,), in_block=True)

    source = text[piece.start : piece.end]
    spoken = block.language(body)
    inner = block.contents(source.decode("utf-8", "replace")) if spoken == "plpgsql" else None
    if inner is None:
        yield notice(NotAnalysed(piece.start, f"the body of this DO block ({spoken})"))
        return
    for sql, dynamic in inner:
        if dynamic:
            yield notice(Dynamic(piece.start, "EXECUTE in a DO block"))
        encoded = sql.encode("utf-8", "replace")
        place = source.find(encoded)
        for part in pieces(encoded):
            if part.tree is None:
                continue  # PL/pgSQL's own forms, such as SELECT … INTO variable
            for statement in _statements(encoded, part):
                yield _placed(statement, piece, piece.start + place if place >= 0 else None)


def _placed(statement: Statement, outer: Piece, shift: int | None) -> Statement:
    """Move a statement from within a block to where it stands in the whole text."""
    if shift is None:
        actions = tuple(action.with_(at=outer.start) for action in statement.actions)
    else:
        actions = tuple(action.with_(at=action.at + shift) for action in statement.actions)
    return statement.with_(start=outer.start, end=outer.end, actions=actions, in_block=True)


def _with_long_identifiers(text: bytes, statements: list[Statement]) -> list[Statement]:
    long = []
    for token in tokens(text):
        name = text[token.start : token.end]
        if name.startswith(b'"'):
            name = name[1:-1].replace(b'""', b'"')
        if not token.is_comment and len(name) > 63:
            long.append(LongIdentifier(token.start, name.decode("utf-8", "replace")))
    return [
        statement.with_(
            actions=statement.actions
            + tuple(action for action in long if statement.start <= action.at < statement.end),
        )
        for statement in statements
    ]
