"""What a whole text does, statement after statement, when it is run on a schema."""

from __future__ import annotations

from collections.abc import Iterable

from expandcontract.lint.schema import Schema
from expandcontract.lint.server.effects import effects_of
from expandcontract.lint.server.server import Effects, Server
from expandcontract.lint.statement import Statement


def run(statements: Iterable[Statement], schema: Schema, version: int, time_zone: str | None = None) -> Effects:
    """
    Give everything the statements do together; the schema is left as they leave it.

    Only relations that existed before count: nobody waits for what the text makes itself.
    """
    before = set(schema.tables) | set(schema.views)
    together = Effects()
    for statement in statements:
        server = Server(version, schema, time_zone)
        each = effects_of(statement.actions, server.during(statement.actions))
        for relation, mode in each.locks.items():
            together.lock([relation] if relation in before else [], mode)
        together.rewrites |= each.rewrites & before
        together.scans |= each.scans
        together.checks_keys |= each.checks_keys
        together.builds_index |= each.builds_index
        together.proof_used |= each.proof_used
        together.reads_data |= each.reads_data
        for action in statement.actions:
            schema.apply(action)
    return together
