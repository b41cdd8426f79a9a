"""
Taking privileges on what a contract will drop, and giving them back: catalogue rows alone, so it waits for nobody.

A privilege on a table covers all of its columns, and taking one column from it does nothing
(https://www.postgresql.org/docs/current/sql-revoke.html). So it is replaced by privileges on the other columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from psycopg import sql

from expandcontract.database.catalog import regclass
from expandcontract.database.executor import Executor
from expandcontract.database.queries import queries
from expandcontract.domain.removal import Removed
from expandcontract.domain.tombstone import Tombstone

GRANTED = (
    "by another grant"  # why a role reaches a table, where it isn't a superuser and has nothing to do with the owner
)
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
    def named(self) -> dict[str, object]:
        """The table as the parameter of a query."""
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
        taken = Taken(schema, relation, tuple(columns)).removed
        before = found.get(revision, Tombstone(revision, since, ()))
        found[revision] = Tombstone(revision, max(before.since, since), (*before.taken, *taken))
    return found


def hold(executor: Executor) -> None:
    """Until the transaction ends the tombstones stay as they are read now; waits for whoever is changing them."""
    _run(executor, "hold")


def privileges(executor: Executor, taken: Taken) -> Privileges | None:
    """The privileges on a table; None where there is no such table."""
    found = executor.rows(queries("tombstones")["owner"], taken.named)
    if not found:
        return None
    owner, columns = found[0]
    rows = executor.rows(queries("tombstones")["privileges"], taken.named)
    return Privileges(
        owner,
        tuple(columns),
        tuple(Grant(*row[:4]) for row in rows if row[4] is None),
        tuple(sorted({row[4] for row in rows if row[4] is not None})),
    )


def reaching(executor: Executor, taken: Taken) -> tuple[tuple[str, str], ...]:
    """The roles that may log in and can use what was taken, each with why."""
    names = {**taken.named, "columns": list(taken.columns)}
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
    remembered = _with_columns(concerned, known)
    names = {"schema": taken.schema, "relation": taken.relation}
    _run(executor, "put_tombstone", revision=revision, columns=list(taken.columns), **names)
    _run(executor, "put_grants", grants=json.dumps([asdict(one) for one in remembered]), **names)
    _replace(executor, taken, known, concerned)
    return tuple(sorted({one.grantee or "PUBLIC" for one in concerned}))


def withhold(executor: Executor, taken: Taken, known: Privileges) -> None:
    """Take the privileges from everybody and remember nothing: for a transaction that is rolled back."""
    _replace(executor, taken, known, [one for one in known.grants if _concerns(one, taken)])


def grant_all(executor: Executor, taken: Taken, role: str) -> None:
    """Grant a role, in the caller's transaction, whatever a statement may need of these columns, or of the table."""
    words = ("SELECT", "INSERT", "UPDATE") if taken.columns else ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
    _grant(executor, taken, [Grant(role, word, None, is_grantable=False) for word in words], taken.columns)


def give_back(executor: Executor, taken: Taken) -> None:
    """Grant what was taken, and forget the tombstone, in the caller's transaction; the table may be gone by now."""
    names = {"schema": taken.schema, "relation": taken.relation}
    known = privileges(executor, taken)
    if known is not None:
        remembered = [one for one in _remembered(executor, taken) if one.column in (None, *known.columns)]
        _revoke(executor, taken, [replace(one, is_grantable=False) for one in remembered if one.column is None])
        _grant(executor, taken, remembered)
    _run(executor, "drop_tombstone", **names)


def cover_new_columns(executor: Executor, taken: Taken) -> tuple[str, ...]:
    """
    Grant, in the caller's transaction, what the table's privileges would have covered of columns that came since.

    Returns:
        These columns.
    """
    known = privileges(executor, taken)
    remembered = _remembered(executor, taken)
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


def _with_columns(concerned: Sequence[Grant], known: Privileges) -> list[Grant]:
    """Taking a privilege on the table takes it on every column as well, so those are remembered, too."""
    whole = {(one.grantee, one.privilege) for one in concerned if one.column is None}
    return [one for one in known.grants if one in concerned or (one.grantee, one.privilege) in whole]


def _replace(executor: Executor, taken: Taken, known: Privileges, concerned: Sequence[Grant]) -> None:
    """Privileges on the table by privileges on its other columns."""
    _revoke(executor, taken, concerned)
    if taken.columns:
        _grant_other_columns(executor, taken, known.columns, _with_columns(concerned, known))


def _grant_other_columns(executor: Executor, taken: Taken, columns: Iterable[str], remembered: Iterable[Grant]) -> None:
    """What was granted on the table, on each of these columns but those that were taken."""
    others = [column for column in columns if column not in taken.columns]
    remembered = list(remembered)
    if others:
        _grant(
            executor, taken, [one for one in remembered if one.column is None and one.privilege in _OF_COLUMNS], others
        )
    # what was granted on a column beside the table may be grantable where that isn't
    _grant(executor, taken, [one for one in remembered if one.column in others])


def _remembered(executor: Executor, taken: Taken) -> list[Grant]:
    """The privileges as they were before, of the roles that are still there."""
    grants = [Grant(*row) for row in _run(executor, "grants", schema=taken.schema, relation=taken.relation)]
    roles = [one.grantee for one in grants if one.grantee is not None]
    there = {role for (role,) in _run(executor, "roles", roles=roles)}
    return [one for one in grants if one.grantee is None or one.grantee in there]


def _grant(executor: Executor, taken: Taken, grants: Iterable[Grant], columns: Sequence[str] = ()) -> None:
    for (privilege, column, is_grantable), grantees in _by_privilege(grants).items():
        option = sql.SQL(" WITH GRANT OPTION") if is_grantable else sql.SQL("")
        what = _privilege(privilege, columns or ([column] if column else ()))
        executor.rows(_text(sql.SQL("GRANT {} ON TABLE {} TO {}{}").format(what, taken._table, grantees, option)))


def _revoke(executor: Executor, taken: Taken, grants: Iterable[Grant]) -> None:
    for (privilege, column, _), grantees in _by_privilege(grants).items():
        what = _privilege(privilege, [column] if column else ())
        executor.rows(_text(sql.SQL("REVOKE {} ON TABLE {} FROM {}").format(what, taken._table, grantees)))


def _by_privilege(grants: Iterable[Grant]) -> dict[tuple[str, str | None, bool], sql.Composable]:
    """Those who have the same, so that one statement serves all of them."""
    found: dict[tuple[str, str | None, bool], dict[str | None, None]] = {}
    for one in grants:
        found.setdefault((one.privilege, one.column, one.is_grantable), {})[one.grantee] = None
    return {privilege: sql.SQL(", ").join(map(_grantee, grantees)) for privilege, grantees in found.items()}


def _privilege(word: str, columns: Sequence[str]) -> sql.Composable:
    """The word is PostgreSQL's own, from its catalogue."""
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("{} ({})").format(sql.SQL(word), named) if columns else sql.SQL(word)


def _grantee(name: str | None) -> sql.Composable:
    return sql.SQL("PUBLIC") if name is None else sql.Identifier(name)


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
