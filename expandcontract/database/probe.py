"""
Asking the server which statements touch a column: it plans them for a role that lacks the column, and runs none.

It knows better than any reader of SQL what a name or ``*`` stands for, and refuses what touches the column with 42501.
That code alone tells nothing, for the role may lack something else: so whatever is refused is planned again with the
column granted. The plan is generic (``force_generic_plan``): with NULL for a parameter PostgreSQL would fold away a
condition, and with it a subquery whose privileges it then never checks.

The role loses its privileges in transactions of a fraction of a second that are rolled back: nothing lasts, nobody
sees it, and whoever alters or grants the table waits no longer than that.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import pq, sql

from expandcontract.database.executor import Executor, PsycopgExecutor
from expandcontract.database.queries import queries
from expandcontract.database.tombstones import Taken, grant_all, privileges, withhold
from expandcontract.domain.proof import Answer, Word

_OPEN = 0.2  # seconds that one transaction stays open, but for the statement that is being planned
_NAME = "ec_probe"


class Unaskable(Exception):
    """The server can't be asked about any statement; says why."""


@dataclass(frozen=True)
class Probe:
    """
    Asks over a connection of its own, which is good for nothing else afterwards.

    Args:
        connection: as the owner of the tables, or as a member of it; with the search path of the application.
        role: who is to lack what goes.
        lock_timeout: the longest wait for a lock, and for one plan, in seconds.
    """

    connection: psycopg.Connection[Any]
    role: str
    lock_timeout: float

    def ask(self, taken: Taken, texts: Sequence[str], seconds: float) -> dict[str, Word]:
        """
        What the server says of each text that there was time for.

        Raises:
            Unaskable: see there.
        """
        found: dict[str, Word] = {}
        self.connection.prepare_threshold = None  # psycopg's own prepared statements would be forgotten with ours
        deadline = time.monotonic() + seconds
        try:
            if trouble := role_trouble(PsycopgExecutor(self.connection), self.role):
                raise Unaskable(trouble)
            shared = {name for (name,) in self._rows("shared_names")}
            path = PsycopgExecutor(self.connection).rows("SHOW search_path")[0][0]
            waiting = list(texts)
            while waiting and time.monotonic() < deadline:
                with self.connection.transaction(force_rollback=True):
                    self._withhold(taken, path)
                    ends = min(time.monotonic() + _OPEN, deadline)
                    while waiting and time.monotonic() < ends:
                        text = waiting.pop()
                        found[text] = _unless_shared(self._word(taken, text), text, shared)
        except psycopg.Error as error:
            raise Unaskable(_words(error)) from None
        return found

    def _rows(self, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
        return PsycopgExecutor(self.connection).rows(queries("probe")[query], parameters)

    def _withhold(self, taken: Taken, path: str) -> None:
        limit = str(max(1, round(self.lock_timeout * 1000)))
        self._rows("terms", limit=limit, schema=taken.schema, path=path or '""')
        executor = PsycopgExecutor(self.connection)
        known = privileges(executor, taken)
        if known is None:
            raise Unaskable(f"{taken.schema}.{taken.relation} is gone")
        withhold(executor, taken, known)
        names = {"relation": taken.named["relation"], "columns": list(taken.columns), "role": self.role}
        for (why,) in self._rows("reaches", **names):
            raise Unaskable(f"it can't lack {', '.join(map(str, taken.removed))}: {why}")

    def _word(self, taken: Taken, text: str) -> Word:
        """Without the column; where that is refused, with it."""
        without = self._plan(text)
        if without is None:
            return Word(Answer.SPARES)
        if without.sqlstate != "42501":
            return Word(Answer.UNKNOWN, _words(without))
        with self.connection.transaction(force_rollback=True):
            grant_all(PsycopgExecutor(self.connection), taken, self.role)
            granted = self._plan(text)
        if granted is None:
            return Word(Answer.TOUCHES)
        return Word(Answer.UNKNOWN, f"{_words(granted)}, which role {self.role} needs as the application does")

    def _plan(self, text: str) -> psycopg.Error | None:
        """Why the role can't plan it; None where it can. In a savepoint, and read-only: nothing changes."""
        try:
            with self.connection.transaction(force_rollback=True):
                self.connection.execute("SET LOCAL transaction_read_only = on")
                self.connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(self.role)))
                parameters = self._prepare(text)
                nulls = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
                explain = f"EXPLAIN (FORMAT JSON, COSTS off) EXECUTE {_NAME}{nulls}"
                (plans,) = self.connection.execute(explain.encode()).fetchone() or ((),)
                if not plans or not all(isinstance(plan, dict) and "Plan" in plan for plan in plans):
                    return psycopg.errors.FeatureNotSupported("PostgreSQL plans no such statement")
        except psycopg.Error as error:
            if self.connection.closed:
                raise
            return error
        finally:
            self._forget()
        return None

    def _prepare(self, text: str) -> int:
        """By the protocol, which takes one statement and no more. How many parameters it has."""
        prepared = self.connection.pgconn.prepare(_NAME.encode(), text.encode())
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(prepared, "utf-8")
        return self.connection.pgconn.describe_prepared(_NAME.encode()).nparams

    def _forget(self) -> None:
        """A prepared statement outlives its transaction."""
        if not self.connection.closed:
            self.connection.execute("DEALLOCATE ALL")


def role_trouble(executor: Executor, role: str) -> str | None:
    """Why a role is no good for it, as far as that doesn't depend on the table; None where it is."""
    rows = executor.rows(queries("probe")["role"], {"role": role})
    if not rows:
        return "there is no such role"
    is_superuser, may_become, we_are_superuser, is_owner, may_read = rows[0]
    if we_are_superuser:
        return (
            "ec runs as a superuser here, and planning calls functions that are declared IMMUTABLE, which could then"
            " do whatever they like"
        )
    if is_superuser:
        return "it is a superuser, and can't lack anything"
    if not may_become:
        return "ec's own role may not become it (SET ROLE)"
    if is_owner:
        return "it owns tables, or is a member of their owner, and can't lack anything of them"
    if not may_read:
        return "it may read no table, and the server plans only for who has the application's rights"
    return None


def _unless_shared(word: Word, text: str, shared: set[str]) -> Word:
    """That a statement spares this table says nothing where its names may have meant others when it ran."""
    named = sorted(name for name in shared if name.lower() in text.lower())
    if word.answer is not Answer.SPARES or not named:
        return word
    return Word(Answer.UNKNOWN, f"several schemas have a table {named[0]}, and which of them it meant isn't known")


def _words(error: psycopg.Error) -> str:
    return error.diag.message_primary or " ".join(str(error).split())
