"""What a user has set in ``[tool.expandcontract.colours]``: a table for each witness."""

from __future__ import annotations

from collections.abc import Mapping

from expandcontract.colours.witness import Witness, witness_from


def read_witnesses(table: object) -> tuple[tuple[Witness, ...], list[str]]:
    """The witnesses in the order of the file, and every mistake with its place."""
    if not isinstance(table, Mapping):
        return (), ["colours must be a table"]
    found, mistakes = [], []
    for name, options in table.items():
        if not isinstance(options, Mapping):
            mistakes.append(f"colours.{name} must be a table, such as [tool.expandcontract.colours.router]")
            continue
        try:
            found.append(witness_from(name, options))
        except ValueError as error:
            mistakes.append(f"colours.{name}: {error}")
    return tuple(found), mistakes
