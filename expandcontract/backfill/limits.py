"""How long a backfill's statements may take and wait, so that nobody waits long for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from expandcontract.domain.change import Backfill
from expandcontract.domain.duration import as_duration


def set_limits(
    connection: psycopg.Connection[Any], backfill: Backfill, *, until_the_transaction_ends: bool = False
) -> None:
    """Set the time-outs that the revision declares, for the session or for what is left of a transaction."""
    for name, length in (("lock_timeout", backfill.lock_timeout), ("statement_timeout", backfill.statement_timeout)):
        milliseconds = max(1, as_duration(length) // timedelta(milliseconds=1))
        connection.execute(
            "SELECT pg_catalog.set_config(%s, %s, %s)", [name, str(milliseconds), until_the_transaction_ends]
        )
