"""Every kind of signal that the configuration knows by a key of its own."""

from __future__ import annotations

from collections.abc import Mapping

from expandcontract.backfill.health import (
    active_sessions,
    archive_backlog,
    autovacuum,
    dead_rows,
    hours,
    latency,
    lock_waits,
    oldest_snapshot,
    replication_delay,
    replication_lag,
    slot_wal,
    standbys,
    transaction_age,
    wal_rate,
)
from expandcontract.backfill.health.signal import Kind

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        replication_lag.KIND,
        replication_delay.KIND,
        standbys.KIND,
        slot_wal.KIND,
        archive_backlog.KIND,
        wal_rate.KIND,
        lock_waits.KIND,
        latency.KIND,
        active_sessions.KIND,
        dead_rows.KIND,
        autovacuum.KIND,
        autovacuum.WRAPAROUND_KIND,
        oldest_snapshot.KIND,
        transaction_age.KIND,
        hours.KIND,
    )
}
