"""Which indexes a text builds CONCURRENTLY, by names that find them again."""

from __future__ import annotations

from expandcontract.lint.reading.text import read
from expandcontract.lint.statement import CreateIndex


def indexes_built(text: str) -> tuple[str, ...]:
    """The names as SQL has them: an index is in the schema of its table. One without a name can't be found again."""
    return tuple(
        f"{schema}{dot}{action.name}"
        for statement in read(text)
        for action in statement.actions
        if isinstance(action, CreateIndex) and action.concurrently and action.name
        for schema, dot, _ in [action.table.rpartition(".")]
    )
