"""Who may keep a ``SELECT *`` prepared over a table that is to get a column: as far as ``pg_stat_statements`` tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.commands.asking import PATIENCE
from expandcontract.commands.sampling import samples
from expandcontract.commands.situation import Situation
from expandcontract.domain.footprint import Touched
from expandcontract.domain.phase import Phase
from expandcontract.domain.statements import Statement
from expandcontract.lint.whole_rows import gives_whole_rows_of, tables_widened

_SHOWN = 100  # characters of a statement


def whole_row_warnings(situation: Situation, waiting: Iterable[Revision]) -> tuple[str, ...]:
    """
    A sentence for each table that an expand widens and of which a statement gives back every column.

    Nothing where nobody counts statements: ``ec doctor`` tells that.
    """
    widened = [(revision, table) for revision in waiting for table in _widened_by(situation, revision)]
    if not widened:
        return ()
    nodes = samples(situation.settings, situation.ledger.executor, situation.ledger, PATIENCE)
    statements = [
        statement
        for sample in nodes.values()
        for statement in sample.entries.values()
        if statement.counted.role not in situation.settings.maintenance_roles
    ]
    return tuple(
        _warning(revision, table, found[0])
        for revision, table in widened
        if (found := [one for one in statements if gives_whole_rows_of(one.query, table)])
    )


def _widened_by(situation: Situation, revision: Revision) -> Iterator[Touched]:
    tables = {
        table
        for index in range(len(revision.parts(Phase.EXPAND)))
        for table in tables_widened(situation.sql_of(revision, Phase.EXPAND, index))
    }
    yield from sorted(tables, key=str)


def _warning(revision: Revision, table: Touched, statement: Statement) -> str:
    query = " ".join(statement.query.split())[:_SHOWN]
    return (
        f"expand {revision.change.revision} adds a column to {table}, and role {statement.counted.role} runs: {query}"
        f" ({statement.calls} calls). Where a client keeps that prepared, it fails with 0A000 from then on, until it is"
        " prepared anew: name the columns, or let the clients connect anew"
    )
