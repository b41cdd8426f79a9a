"""Names as they can be pasted into SQL: quoted where PostgreSQL needs it, without the schema ``public``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any

_MOST_LISTED = 4

MAXIMUM_BYTES = 63  # NAMEDATALEN - 1; PostgreSQL silently cuts what is longer

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")
# https://www.postgresql.org/docs/current/sql-keywords-appendix.html, the reserved ones
_RESERVED = frozenset(
    [
        "all",
        "analyse",
        "analyze",
        "and",
        "any",
        "array",
        "as",
        "asc",
        "asymmetric",
        "both",
        "case",
        "cast",
        "check",
        "collate",
        "column",
        "constraint",
        "create",
        "current_catalog",
        "current_date",
        "current_role",
        "current_time",
        "current_timestamp",
        "current_user",
        "default",
        "deferrable",
        "desc",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "false",
        "fetch",
        "for",
        "foreign",
        "from",
        "grant",
        "group",
        "having",
        "in",
        "initially",
        "intersect",
        "into",
        "lateral",
        "leading",
        "limit",
        "localtime",
        "localtimestamp",
        "not",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "placing",
        "primary",
        "references",
        "returning",
        "select",
        "session_user",
        "some",
        "symmetric",
        "table",
        "then",
        "to",
        "trailing",
        "true",
        "union",
        "unique",
        "user",
        "using",
        "variadic",
        "when",
        "where",
        "window",
        "with",
    ]
)


def quoted(name: str) -> str:
    """Give the name as SQL would need it: ``users``, but ``"Users"`` and ``"order"``."""
    if _PLAIN.match(name) and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def qualified(parts: Sequence[str]) -> str:
    """Give ``schema.name``, leaving out ``public``, so that one object has one spelling."""
    shown = [quoted(part) for part in parts]
    return ".".join(shown[1:] if len(shown) == 2 and shown[0] == "public" else shown)


def strings(nodes: Iterable[Any]) -> list[str]:
    """Give the texts of a list of parser strings; what isn't one (``*``) is left out."""
    return [node["String"].get("sval", "") for node in nodes if "String" in node]


def of_relation(node: dict[str, Any]) -> str:
    """Give the name of a RangeVar."""
    schema = node.get("schemaname")
    return qualified([schema, node["relname"]] if schema else [node["relname"]])


def listed(names: Collection[str]) -> str:
    """Give names as a person would list them: ``a``, ``a and b``, ``a, b and c``; many are cut short."""
    items = list(islice(names, _MOST_LISTED))
    if len(names) > _MOST_LISTED:
        items[-1] = f"{len(names) - _MOST_LISTED + 1} more"
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
