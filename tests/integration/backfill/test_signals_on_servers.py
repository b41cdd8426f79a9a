"""Signals about the server rather than the table, on a server that does what they look for."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from expandcontract.backfill.health.archive_backlog import ArchiveBacklog
from expandcontract.backfill.health.autovacuum import Autovacuum
from expandcontract.backfill.health.signal import Scene, Signal
from expandcontract.backfill.health.slot_wal import SlotWal
from expandcontract.backfill.health.transaction_age import TransactionAge
from expandcontract.backfill.health.wal_rate import WalRate
from expandcontract.domain.throttle import Level, Limits, Verdict
from expandcontract.proof.scratch_server import ScratchServer
from tests.fixtures.project import until
from tests.fixtures.servers import ram_disk

MB = 1024 * 1024
SETTINGS = {"archive_mode": "on", "archive_command": "false", "autovacuum_naptime": "1s", "max_wal_size": "256MB"}


@pytest.fixture(scope="module")
def server() -> Iterator[psycopg.Connection]:
    """A server of its own, with an archive that fails."""
    with (
        ScratchServer(settings=SETTINGS, parent=ram_disk()) as server,
        psycopg.connect(server.dsn(), autocommit=True) as connection,
    ):
        yield connection


def look(server: psycopg.Connection, signal: Signal, table: str | None = None) -> list[Verdict]:
    (root,) = server.execute("SELECT COALESCE(%s::regclass::oid::int8, 0)", [table]).fetchone()
    return list(signal.look(Scene(server, root)))


def write_wal(server: psycopg.Connection, size: int) -> None:
    server.execute("SELECT pg_logical_emit_message(false, 'test', repeat('x', %s))", [size])


def test_the_wal_written_between_two_looks_is_a_rate(server: psycopg.Connection) -> None:
    signal = WalRate(Limits(slow=MB))
    assert look(server, signal)[0].level is Level.CALM

    write_wal(server, 40 * MB)

    assert look(server, signal)[0].level is Level.STRAINED


def test_a_slot_that_nobody_reads_keeps_wal(server: psycopg.Connection) -> None:
    signal = SlotWal(Limits(slow=10 * MB, stop=20 * MB))
    assert look(server, signal) == []
    server.execute("CHECKPOINT")  # where the slot begins
    server.execute("SELECT pg_create_physical_replication_slot('away', true)")
    assert [one.level for one in look(server, signal)] == [Level.CALM]

    write_wal(server, 15 * MB)
    (strained,) = look(server, signal)
    write_wal(server, 15 * MB)
    (over,) = look(server, signal)
    server.execute("SELECT pg_drop_replication_slot('away')")

    assert (strained.level, over.level) == (Level.STRAINED, Level.OVER)
    assert over.words.startswith("slot away keeps 3")
    assert look(server, signal) == []


def test_an_archive_that_fails_leaves_a_backlog_until_it_works_again(server: psycopg.Connection) -> None:
    signal = ArchiveBacklog(Limits(stop=30 * MB))
    assert look(server, signal)[0].level is not Level.OVER
    for _ in range(3):
        write_wal(server, MB)
        server.execute("SELECT pg_switch_wal()")

    failing = until(lambda: found if "failed" in (found := look(server, signal)[0]).words else None)
    assert failing.level is Level.OVER

    server.execute("ALTER SYSTEM SET archive_command = 'true'")
    server.execute("SELECT pg_reload_conf()")
    until(lambda: look(server, signal)[0].level is Level.CALM, seconds=90, what="the archive has caught up")
    assert "failed" not in look(server, signal)[0].words


def test_autovacuum_on_the_table_is_seen_and_on_another_is_not(server: psycopg.Connection) -> None:
    signal = Autovacuum(Level.OVER, only_wraparound=False)
    urgent = Autovacuum(Level.OVER, only_wraparound=True)
    server.execute("CREATE TABLE calm (id int)")
    server.execute(
        "CREATE TABLE busy (id int) WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,"
        " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"
    )
    server.execute("INSERT INTO busy SELECT generate_series(1, 50000)")
    server.execute("UPDATE busy SET id = -id")

    (working,) = until(
        lambda: found if (found := look(server, signal, "busy"))[0].level is Level.OVER else None, seconds=90
    )
    assert working.words == "autovacuum works on the table"
    assert look(server, signal, "calm")[0].level is Level.CALM
    assert look(server, urgent, "busy")[0].level is Level.CALM

    server.execute("ALTER TABLE busy SET (autovacuum_enabled = off)")  # which ends it
    until(lambda: look(server, signal, "busy")[0].level is Level.CALM, seconds=90, what="it has ended")


def test_the_age_of_the_oldest_transaction_id_is_counted(server: psycopg.Connection) -> None:
    (calm,), (over,) = look(server, TransactionAge(Limits(stop=1e9))), look(server, TransactionAge(Limits(stop=1)))

    assert (calm.level, over.level) == (Level.CALM, Level.OVER)
