"""The statements of ``sql/*.sql``, by name. A block starts with ``-- name: what it answers``."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_HEAD = re.compile(r"^-- ([a-z_]+): ", re.MULTILINE)


@cache
def queries(file: str) -> dict[str, str]:
    """The named statements of ``sql/<file>.sql``; parameters are written ``%(name)s``."""
    text = script(file)
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head.group(1): text[head.start() : end].strip() for head, end in zip(heads, ends, strict=True)}


def script(file: str) -> str:
    """The whole text of ``sql/<file>.sql``."""
    return files("expandcontract.database").joinpath("sql", f"{file}.sql").read_text(encoding="utf-8")
