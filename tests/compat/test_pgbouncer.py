"""A real pgbouncer in the path: found out before any lock is taken, in either way of pooling."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.fixtures.project import CREATE_USERS, AlembicProject, until
from tests.fixtures.servers import with_parameters

_CONFIGURATION = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users.txt
pool_mode = {mode}
ignore_startup_parameters = extra_float_digits,options,search_path
"""


@pytest.fixture(params=["transaction", "session"])
def pooled(request: pytest.FixtureRequest, project: AlembicProject, public_folder: Path) -> Iterator[str]:
    """The project's database by way of a pgbouncer that pools so."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin")
    assert program, "no pgbouncer on this machine: apt install pgbouncer, brew install pgbouncer"
    place = conninfo_to_dict(project.dsn)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = public_folder
    (folder / "users.txt").write_text(f'"{place["user"]}" "{place["password"]}"\n')
    text = _CONFIGURATION.format(
        host=place["host"], server_port=place["port"], port=port, folder=folder, mode=request.param
    )
    (folder / "pgbouncer.ini").write_text(text)
    dsn = with_parameters(project.dsn, host="127.0.0.1", port=str(port))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "pgbouncer.ini")], stderr=log, stdin=subprocess.DEVNULL, **_somebody(folder)
        )
    try:
        until(lambda: _answers(dsn), what=f"pgbouncer: {(folder / 'log').read_text()}")
        yield dsn
    finally:
        process.terminate()
        process.wait(30)


def _somebody(folder: Path) -> dict[str, int]:
    """It refuses to run as root."""
    if os.getuid():
        return {}
    somebody = pwd.getpwnam("nobody")
    for path in (folder, *folder.iterdir()):
        os.chown(path, somebody.pw_uid, somebody.pw_gid)
    return {"user": somebody.pw_uid, "group": somebody.pw_gid}


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_pooler_is_found_out_before_any_lock_is_taken(project: AlembicProject, pooled: str) -> None:
    project.revision("0001", CREATE_USERS)
    project.ok("init")
    before = project.snapshot()

    for command in (("migrate", "expand"), ("undo", "0001")):
        told = project.ec(*command, "--json", variables={"EC_DATABASE_URL": pooled})
        assert told.code == 2, told
        error = told.json["error"]
        assert "is behind a connection pooler" in error["message"]
        assert error["next"] == "set EC_DATABASE_URL to a direct address of the primary"

    assert project.snapshot() == before
    assert project.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    project.ok("migrate", "expand")  # directly
