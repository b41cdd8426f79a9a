"""The SQL of steps, as a script that guards itself: what ``--sql`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from io import StringIO
from types import MappingProxyType
from typing import Any

import psycopg
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from psycopg import sql

from expandcontract.alembic_bridge.chatter import quiet
from expandcontract.alembic_bridge.collapse import without_collapse
from expandcontract.alembic_bridge.environment import environment_errors
from expandcontract.alembic_bridge.project import Project
from expandcontract.alembic_bridge.revisions import Part, Revision
from expandcontract.database.actor import Actor
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.expressions import qualified
from expandcontract.database.ledger import Ledger
from expandcontract.domain.phase import Phase
from expandcontract.errors import ConfigurationError, RevisionError


def render(
    project: Project,
    connection: psycopg.Connection[Any],
    revisions: Sequence[Revision],
    phase: Phase,
    heads: tuple[str, ...],
    lock_timeout: timedelta,
    actor: Actor,
) -> str:
    """
    The script that would run these steps, by env.py's offline branch; each part in a transaction of its own.

    Args:
        project: the user's project.
        connection: quotes the ledger's rows.
        revisions: the changes, in order.
        phase: which step of each.
        heads: what the version table holds now.
        lock_timeout: the longest that one statement may wait for a lock.
        actor: who writes the script, for the events; the role that runs it is in them as well.

    Raises:
        RevisionError: a part needs a database to know what it does.
        ConfigurationError: env.py has no offline branch that works.
    """
    text, ran = StringIO(), False
    now = Ledger(PsycopgExecutor(connection), actor).now()

    def run(_: Any, context: MigrationContext) -> Iterable[RevisionStep]:
        nonlocal ran
        ran = True
        for revision in revisions:
            for index, part in enumerate(revision.parts(phase)):
                last = index + 1 == len(revision.parts(phase))
                rows = _ledger_rows(connection, revision, phase, index, actor)
                moves_version = last and phase is Phase.EXPAND
                guard = _version_guard(context, revision) if phase is Phase.EXPAND else _traffic_guard(now, revision)
                work = _Work(context, revision, part, guard, rows, lock_timeout)
                if moves_version:
                    step = MigrationStep.upgrade_from_script(project.script.revision_map, revision.script)
                    step.migration_fn = work.run
                    yield step
                else:
                    with context.begin_transaction(_per_migration=True):
                        work.run()

    environment = EnvironmentContext(
        project.config, project.script, fn=run, as_sql=True, starting_rev=",".join(heads) or None
    )
    configure = environment.configure

    def configured(*arguments: Any, **options: Any) -> None:
        # With a driver's own style of parameters, Alembic would write each percent sign twice.
        dialect = {"paramstyle": "named", **(options.get("dialect_opts") or {})}
        hooks = without_collapse(options.get("on_version_apply"))
        ours = {"transaction_per_migration": True, "output_buffer": text, "dialect_opts": dialect}
        configure(*arguments, **{**options, **ours, "on_version_apply": hooks})

    environment.configure = configured  # type: ignore[method-assign]
    with environment, quiet(), environment_errors(project, lambda: ran):
        project.script.run_env()
    if not ran:
        raise ConfigurationError(
            f"{project.script.env_py_location} ran no migrations",
            because="it never called context.configure() and context.run_migrations() for an offline run",
        )
    return text.getvalue()


class _Work:
    """One part, as text: its limit, its guard, its SQL and its rows in the ledger."""

    def __init__(
        self,
        context: MigrationContext,
        revision: Revision,
        part: Part,
        guard: str,
        ledger_rows: str,
        lock_timeout: timedelta,
    ) -> None:
        self._context = context
        self._guard = guard
        self._revision = revision
        self._part = part
        self._ledger_rows = ledger_rows
        self._lock_timeout = max(1, round(lock_timeout.total_seconds() * 1000))

    def run(self, **_: Any) -> None:
        self._context.impl.static_output(f"SET LOCAL lock_timeout = {self._lock_timeout};\n")
        self._context.impl.static_output(f"{self._guard}\n")
        try:
            self._part()
        except Exception as error:
            raise RevisionError(
                f"part {self._part.__name__} can't be written as SQL",
                file=self._revision.file,
                because=f"without a database it fails with {type(error).__name__}: {error}",
                next_command="run it online, without --sql",
            ) from None
        self._context.impl.static_output(f"{self._ledger_rows}\n")


def _version_guard(context: MigrationContext, revision: Revision) -> str:
    """Stops the script where the change doesn't begin: Alembic's own UPDATE would match no row, and say nothing."""
    below = revision.script._versioned_down_revisions
    if not below:
        return "-- the first revision: nothing has to be there"
    table = qualified(context.version_table, context.version_table_schema)
    return _raise_unless(
        sql.SQL("(SELECT count(*) FROM {} WHERE version_num IN ({})) = {}").format(
            table, sql.SQL(", ").join(map(sql.Literal, below)), sql.Literal(len(below))
        ),
        f"this script goes on from {', '.join(below)}, and the database is elsewhere: write it anew",
    )


def _traffic_guard(written_at: datetime, revision: Revision) -> str:
    """Stops the script once a release that lacks the change has had traffic since the gate was asked."""
    name = revision.change.revision
    lacking = sql.SQL(
        "NOT EXISTS (SELECT FROM ec.release r WHERE (r.last_traffic > {written_at} OR EXISTS"
        " (SELECT FROM ec.colour c WHERE c.release = r.tag AND c.weight > 0)) AND NOT EXISTS"
        " (SELECT FROM ec.shipped s WHERE s.release = r.tag AND s.revision = {revision}))"
    ).format(written_at=sql.Literal(written_at.isoformat()), revision=sql.Literal(name))
    hold = "LOCK TABLE ec.colour IN SHARE MODE;\n"
    return hold + _raise_unless(
        lacking,
        f"a release without {name} has had traffic since this script was written: ask ec migrate contract again",
    )


def _raise_unless(condition: sql.Composable, words: str) -> str:
    return (
        sql.SQL("DO $ec_guard$ BEGIN IF NOT ({}) THEN RAISE EXCEPTION USING MESSAGE = {}; END IF; END $ec_guard$;")
        .format(condition, sql.Literal(words))
        .as_string(None)
    )


def _ledger_rows(
    connection: psycopg.Connection[Any], revision: Revision, phase: Phase, index: int, actor: Actor
) -> str:
    """The statements that record the part; they fail where there is no ledger, and so guard the script."""
    writer = _Writer(connection)
    Ledger(writer, actor).part_ran(revision.change, phase, index, {"by_script": True})
    return "\n".join(writer.statements)


class _Writer:
    """An executor that runs nothing and keeps the statements as text."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._quoting = psycopg.ClientCursor(connection)
        self.statements: list[str] = []

    def rows(self, query: str, parameters: Mapping[str, object] = MappingProxyType({})) -> list[tuple[Any, ...]]:
        """See `Executor.rows`; there are none."""
        self.statements.append(self._quoting.mogrify(query.encode(), dict(parameters)))
        return []
