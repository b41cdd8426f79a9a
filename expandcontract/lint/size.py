"""How large a table is, as a catalogue once told: a comment in the SQL that was read from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from expandcontract.lint.identifier import qualified
from expandcontract.lint.value import Value

_SIZE = re.compile(r"^-- ec:size (\[.*\])$", re.MULTILINE)
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


class Size(Value):
    """Rows as PostgreSQL estimates them, None where it never counted; and bytes, without indexes and TOAST."""

    rows: int | None
    bytes: int

    def __str__(self) -> str:
        amount, unit = float(self.bytes), 0
        while amount >= 1024 and unit < len(_UNITS) - 1:
            amount, unit = amount / 1024, unit + 1
        shown = f"{amount:.0f} {_UNITS[unit]}"
        return shown if self.rows is None else f"about {self.rows:,} rows, {shown}"


def read_sizes(sql: str) -> Iterator[tuple[str, Size]]:
    """Give the tables whose sizes the text tells; the lines that do are those of `deployed_schema.sql`."""
    for match in _SIZE.finditer(sql):
        schema, table, rows, size = json.loads(match[1])
        yield qualified([schema, table]), Size(rows if rows >= 0 else None, size)


def together(sizes: Iterable[Size]) -> Size:
    """Give the size of several tables, such as the partitions of one."""
    known = list(sizes)
    rows = [each.rows for each in known if each.rows is not None]
    return Size(sum(rows) if len(rows) == len(known) else None, sum(each.bytes for each in known))
