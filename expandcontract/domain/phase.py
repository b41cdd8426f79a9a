"""The three phases of a change."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """What a step may do to the schema or the data."""

    EXPAND = "expand"  # old code must not notice
    BACKFILL = "backfill"  # data only: batched, throttled, resumable
    CONTRACT = "contract"  # destructive: only when nobody needs the old shape any more
