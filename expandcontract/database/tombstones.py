"""
Taking privileges on what a contract will drop, and giving them back: catalogue rows alone, so it waits for nobody.

A privilege on a table covers all of its columns, and taking one column from it does nothing
(https://www.postgresql.org/docs/current/sql-revoke.html). So it is replaced by privileges on the other columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import sql

from expandcontract.database.catalog import regclass
from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.removal import Removed
from expandcontract.domain.tombstone import Tombstone

_OF_COLUMNS = frozenset(("SELECT", "INSERT", "UPDATE", "REFERENCES"))


@dataclass(frozen=True)
class Taken:
    """A table of which a tombstone takes some columns, or all of it where none is named."""

    schema: str
    relation: str
    columns: tuple[str, ...] = ()

    @property
    def removed(self) -> tuple[Removed, ...]:
        """The same as what a contract removes."""
        return tuple(Removed(self.relation, column, self.schema) for column in self.columns or (None,))

    @property
    def _table(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.relation)

    @property
    def _named(self) -> dict[str, object]:
        return {"relation": regclass(self.relation, self.schema)}


@dataclass(frozen=True)
class Grant:
    """A privilege as the owner granted it; ``grantee`` None is PUBLIC, ``column`` None the whole table."""

    grantee: str | None
    privilege: str
    column: str | None
    is_grantable: bool


@dataclass(frozen=True)
class Privileges:
    """Who has what on a table: its owner, its columns, the owner's grants, and those who passed on what they had."""

    owner: str
    columns: tuple[str, ...]
    grants: tuple[Grant, ...]
    passed_on_by: tuple[str, ...]


def standing(executor: Executor) -> dict[str, Tombstone]:
    """The tombstones that stand, by revision."""
    found: dict[str, Tombstone] = {}
    for revision, schema, relation, columns, since in executor.rows(queries("tombstones")["standing"]):
        before = found.get(revision)
        taken = Taken(schema, relation, tuple(columns)).removed
        found[revision] = Tombstone(revision, since, (*(before.taken if before else ()), *taken))
        if before:
            found[revision] = Tombstone(revision, max(before.since, since), (*before.taken, *taken))
    return found


def hold(executor: Executor) -> None:
    """Until the transaction ends the tombstones stay as they are read now; waits for whoever is changing them."""
    _run(executor, "hold")


def privileges(executor: Executor, taken: Taken) -> Privileges | None:
    """The privileges on a table; None where there is no such table."""
    found = executor.rows(queries("tombstones")["owner"], taken._named)
    if not found:
        return None
    owner, columns = found[0]
    rows = executor.rows(queries("tombstones")["privileges"], taken._named)
    return Privileges(
        owner,
        tuple(columns),
        tuple(Grant(*row[:4]) for row in rows if row[4] is None),
        tuple(sorted({row[4] for row in rows if row[4] is not None})),
    )


def reaching(executor: Executor, taken: Taken) -> tuple[tuple[str, str], ...]:
    """The roles that may log in and can use what was taken, each with why."""
    names = {**taken._named, "columns": list(taken.columns)}
    return tuple((role, why) for role, why in executor.rows(queries("tombstones")["reaching"], names))


def take(executor: Executor, revision: str, taken: Taken, known: Privileges, spared: Sequence[str]) -> tuple[str, ...]:
    """
    Take the privileges and remember them, in the caller's transaction.

    Args:
        executor: as the owner, or as a member of it.
        revision: whose contract will drop it.
        taken: the table and its columns.
        known: the privileges on it.
        spared: the roles that keep theirs.

    Returns:
        Whom it was taken from.
    """
    concerned = [one for one in known.grants if one.grantee not in spared and _concerns(one, taken)]
    names = {"schema": taken.schema, "relation": taken.relation}
    _run(executor, "put_tombstone", revision=revision, columns=list(taken.columns), **names)
    # taking a privilege on the table takes it on every column as well, so those are remembered, too
    whole = {(one.grantee, one.privilege) for one in concerned if one.column is None}
    remembered = [one for one in known.grants if one in concerned or (one.grantee, one.privilege) in whole]
    _run(executor, "put_grants", grants=json.dumps([asdict(one) for one in remembered]), **names)
    for one in concerned:
        _revoke(executor, taken, one)
    if taken.columns:
        _grant_other_columns(executor, taken, known.columns, remembered)
    return tuple(sorted({one.grantee or "PUBLIC" for one in concerned}))


def give_back(executor: Executor, taken: Taken) -> None:
    """Grant what was taken, and forget the tombstone, in the caller's transaction; the table may be gone by now."""
    names = {"schema": taken.schema, "relation": taken.relation}
    known = privileges(executor, taken)
    remembered = [Grant(*row) for row in _run(executor, "grants", **names)]
    if known is not None:
        for grantee, privilege in dict.fromkeys(
            (one.grantee, one.privilege) for one in remembered if one.column is None
        ):
            _revoke(executor, taken, Grant(grantee, privilege, None, False))
        for one in remembered:
            if one.column in (None, *known.columns) and _exists(executor, one.grantee):
                _grant(executor, taken, one)
    _run(executor, "drop_tombstone", **names)


def cover_new_columns(executor: Executor, taken: Taken) -> tuple[str, ...]:
    """
    Grant, in the caller's transaction, what the table's privileges would have covered of columns that came since.

    Returns:
        These columns.
    """
    known = privileges(executor, taken)
    remembered = [Grant(*row) for row in _run(executor, "grants", schema=taken.schema, relation=taken.relation)]
    whole = [one for one in remembered if one.column is None and one.privilege in _OF_COLUMNS]
    if known is None or not taken.columns or not whole:
        return ()
    granted = {(one.grantee, one.privilege, one.column) for one in known.grants}
    new = tuple(
        column
        for column in known.columns
        if column not in taken.columns and any((one.grantee, one.privilege, column) not in granted for one in whole)
    )
    if new:
        _grant_other_columns(executor, taken, new, remembered)
    return new


def _concerns(one: Grant, taken: Taken) -> bool:
    if not taken.columns:
        return True
    return one.column in taken.columns or (one.column is None and one.privilege in _OF_COLUMNS)


def _grant_other_columns(executor: Executor, taken: Taken, columns: Iterable[str], remembered: Iterable[Grant]) -> None:
    """What was granted on the table, on each of these columns but those that were taken."""
    others = [column for column in columns if column not in taken.columns]
    remembered = list(remembered)
    for one in remembered:
        if one.column is None and others and one.privilege in _OF_COLUMNS:
            _grant(executor, taken, one, others)
        # what was granted on a column beside the table may have been grantable where that wasn't
        elif one.column in others:
            _grant(executor, taken, one)


def _grant(executor: Executor, taken: Taken, one: Grant, columns: Sequence[str] = ()) -> None:
    option = sql.SQL(" WITH GRANT OPTION") if one.is_grantable else sql.SQL("")
    statement = sql.SQL("GRANT {} ON TABLE {} TO {}{}").format(
        _privilege(one, columns), taken._table, _grantee(one.grantee), option
    )
    executor.rows(_text(statement))


def _revoke(executor: Executor, taken: Taken, one: Grant) -> None:
    if _exists(executor, one.grantee):
        statement = sql.SQL("REVOKE {} ON TABLE {} FROM {}").format(
            _privilege(one), taken._table, _grantee(one.grantee)
        )
        executor.rows(_text(statement))


def _privilege(one: Grant, columns: Sequence[str] = ()) -> sql.Composable:
    """The word is PostgreSQL's own, from its catalogue."""
    named = columns or ([one.column] if one.column else ())
    word = sql.SQL(one.privilege)
    return sql.SQL("{} ({})").format(word, sql.SQL(", ").join(map(sql.Identifier, named))) if named else word


def _grantee(name: str | None) -> sql.Composable:
    return sql.SQL("PUBLIC") if name is None else sql.Identifier(name)


def _exists(executor: Executor, role: str | None) -> bool:
    return role is None or bool(_run(executor, "role_exists", role=role)[0][0])


def _run(executor: Executor, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
    return executor.rows(queries("tombstones")[query], parameters)


def _text(statement: sql.Composable) -> str:
    return statement.as_string(None).replace("%", "%%")


def after_part(executor: Executor, contracted: str | None) -> None:
    """
    Keep tombstones right in the transaction of a step's part.

    Columns that came with it are granted as their table is; with the last part of a contract its tombstone ends, and
    the table is granted as a whole again.

    Args:
        executor: in that transaction.
        contracted: the revision whose contract ends with the part.
    """
    for revision, schema, relation, columns, _ in executor.rows(queries("tombstones")["standing"]):
        taken = Taken(schema, relation, tuple(columns))
        if revision == contracted:
            give_back(executor, taken)
        else:
            cover_new_columns(executor, taken)


def taken_by(executor: Executor, revision: str) -> tuple[Taken, ...]:
    """What the tombstone of a revision has taken; nothing where none stands."""
    rows = executor.rows(queries("tombstones")["standing"])
    return tuple(Taken(row[1], row[2], tuple(row[3])) for row in rows if row[0] == revision)
