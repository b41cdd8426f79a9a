"""Add a check constraint: in the contract, because old code may still write what it refuses."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.alembic_bridge.authoring import steps
from expandcontract.alembic_bridge.authoring.draft import THIS_CHANGE, Draft, Drafted, Part
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Example, Recipe, argument, option, pairs
from expandcontract.domain.change import Backfill


@dataclass(frozen=True)
class AddCheck(Recipe):
    """
    Require a condition of every row once no code that may break it can come back.

    The new release must keep to the condition. Rows that don't are mended by --fix, once it is live alone.
    """

    table: str = argument("The table.")
    name: str = argument("The constraint's name.")
    condition: str = argument("What must hold, as SQL.")
    fix: tuple[str, ...] = option(
        "What rows that break it get; repeatable. It must make the condition true.", (), metavar="COLUMN=EXPRESSION"
    )

    example = Example(
        "users total_positive 'total >= 0' --fix total=0", "CREATE TABLE users (id bigint PRIMARY KEY, total integer)"
    )
    locks = (
        "The constraint comes `NOT VALID` in an instant; validating it reads every row under a lock that neither reads"
        " nor writes feel."
    )

    def draft(self, tables: LiveTables) -> Draft:
        table = tables.table(self.table)
        tables.refuse_expression(table, self.condition, "the condition")
        fixes = pairs("--fix", self.fix)
        for column, expression in fixes.items():
            tables.column(table, column)
            tables.refuse_expression(table, expression, f"--fix {column}")
        require = Part(
            "require", (steps.check(table, self.name, self.condition),), "Holds for every write from now on."
        )
        backfill = (
            Backfill(
                table.name,
                set=fixes,
                where=f"NOT ({self.condition})",
                schema=table.schema,
                writers=THIS_CHANGE,
                required=False,
            )
            if fixes
            else None
        )
        return Draft(
            f"{table.fullname}: {self.name}",
            expand=Drafted("Nothing changes: old code may still break the condition."),
            downgrade=Drafted("There is nothing to undo."),
            backfill=backfill,
            backfill_says="Rows that old code wrote are mended once only new code, which keeps to it, is live.",
            contract=Drafted(
                f"Only code that keeps to {self.name} is left; from now on the table insists on it.",
                (require, *steps.validate(table, self.name)),
            ),
        )
