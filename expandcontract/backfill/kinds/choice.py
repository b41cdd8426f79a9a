"""Which kind a backfill is."""

from __future__ import annotations

from typing import Any

import psycopg

from expandcontract.backfill.kinds.kind import Kind
from expandcontract.backfill.kinds.statement import Statement
from expandcontract.backfill.kinds.transform import Transforming
from expandcontract.backfill.kinds.update import Update
from expandcontract.domain.change import Backfill


def kind_of(connection: psycopg.Connection[Any], backfill: Backfill) -> Kind:
    """The backfill's kind, at work over that connection."""
    if backfill.transform is not None:
        return Transforming(connection, backfill, backfill.transform)
    if backfill.sql is not None:
        return Statement(connection, backfill.sql)
    return Update(connection, backfill)
