"""A disk that is full in the midst of a backfill."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from expandcontract.proof.installation import Installation
from expandcontract.proof.scratch_server import ScratchServer
from tests.fixtures.project import CREATE_USERS, ProjectMaker, rename_name
from tests.fixtures.servers import database_on, ram_disk

ROWS = 60_000


@pytest.fixture
def small_disk(public_folder: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    place = public_folder / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0755", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk, in a container only with CAP_SYS_ADMIN")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.long
@pytest.mark.needs_cluster
def test_a_backfill_that_fills_the_disk_keeps_its_position_and_goes_on_when_there_is_room(
    installation: Installation, make_project: ProjectMaker, small_disk: Path
) -> None:
    with ScratchServer(installation, parent=ram_disk(), settings={"autovacuum": "off"}) as server:
        owner = server.data_dir.stat()
        os.chown(small_disk, owner.st_uid, owner.st_gid)
        project = make_project(database_on(server))
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            admin.execute(f"CREATE TABLESPACE small LOCATION '{small_disk}'".encode())
            admin.execute("GRANT CREATE ON TABLESPACE small TO shop_runner")
        project.revision("0001", CREATE_USERS)
        project.ok("migrate", "expand")
        project.execute(
            "ALTER TABLE users SET TABLESPACE small",
            f"INSERT INTO users (name) SELECT repeat('person ', 12) || i FROM generate_series(1, {ROWS}) i",
        )
        project.revision("0002", rename_name("1ms"), after="0001")
        project.ok("migrate", "expand")
        project.ok("colour", "deploy", "green", "2")
        project.ec("colour", "traffic", "green=100")

        failed = project.json("backfill", "--rate", "max", code=7)

        assert "No space left on device" in failed["error"]["because"]
        filled = project.value("SELECT count(*) FROM users WHERE display_name IS NOT NULL")
        assert 0 < filled < ROWS
        assert filled == project.value("SELECT sum(rows_written) FROM ec.backfill_range")
        subprocess.run(["mount", "-o", "remount,size=128m", str(small_disk)], check=True)
        project.ok("backfill", "--rate", "max")
        assert project.value("SELECT count(*) FROM users WHERE display_name IS DISTINCT FROM name") == 0
        assert project.value("SELECT sum(rows_written) FROM ec.backfill_range") == ROWS
