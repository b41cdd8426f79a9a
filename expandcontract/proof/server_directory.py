"""The files of a scratch server: who may read them, its configuration, and the script that ends it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from expandcontract.proof.account import Account

# The postmaster keeps its command line as its title, so a recycled pid can't be mistaken for it; a zombie has none.
_STOP_SCRIPT = """\
#!/bin/sh
# Stops this scratch server and removes its files.
directory={directory}
ours() {{
    {{ tr '\\000' ' ' <"/proc/$1/cmdline" || ps -o args= -p "$1"; }} 2>/dev/null | grep -qF -- "$directory"
}}
pid=$(head -n 1 "$directory/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && ours "$pid"; then
    kill -INT "$pid"
    tries=0
    while ours "$pid" && [ "$tries" -lt 300 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    ours "$pid" && kill -KILL "$pid"
fi
rm -rf -- "$directory"
"""


@dataclass(frozen=True, slots=True)
class ServerDirectory:
    """Where a server's files are. Only data and socket belong to ``account``, None being ourselves."""

    path: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.path / "data"

    @property
    def socket(self) -> Path:
        """The directory of the unix socket."""
        return self.path / "socket"

    @property
    def log(self) -> Path:
        """What the server writes, over all its starts."""
        return self.path / "server.log"

    @property
    def stop_script(self) -> Path:
        """The shell script that stops the server, if it runs, and removes its files."""
        return self.path / "stop"

    def prepare(self) -> None:
        """Make what a server needs. Root never writes where another user could lay a link."""
        for owned in (self.data, self.socket):
            owned.mkdir(mode=0o700)
            if self.account:
                os.chown(owned, self.account.uid, self.account.gid)
        if self.account:
            os.chown(self.path, -1, self.account.gid)
            self.path.chmod(0o750)
        self.log.touch(mode=0o600)
        self.stop_script.write_text(_STOP_SCRIPT.format(directory=shlex.quote(str(self.path))))

    def write(self, name: str, content: str) -> Path:
        """Write a file that the server's user may read and nobody but us may change; give its path."""
        path = self.path / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(content)
        if self.account:
            os.chown(path, -1, self.account.gid)
            path.chmod(0o640)
        return path

    def configure(self, port: int, settings: Mapping[str, str | int], *, with_password: bool) -> None:
        """Write the server's configuration; the address, the port and the places of its files are not up to others."""
        ours: dict[str, str | int] = {
            "data_directory": str(self.data),
            "ident_file": str(self.data / "pg_ident.conf"),
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": str(self.socket),
        }
        defaults: dict[str, str | int] = {"shared_buffers": "32MB", "timezone": "UTC", "log_timezone": "UTC"}
        self.write("postgresql.conf", render_settings({**defaults, **settings, **ours}))
        method = "scram-sha-256" if with_password else "trust"
        ways = (
            "local all all",
            "local replication all",
            "host all all 127.0.0.1/32",
            "host replication all 127.0.0.1/32",
        )
        self.write("pg_hba.conf", "".join(f"{way} {method}\n" for way in ways))


def render_settings(settings: Mapping[str, str | int]) -> str:
    """Return the settings as lines for postgresql.conf, each value quoted."""
    quoted = {name: str(value).replace("\\", "\\\\").replace("'", "''") for name, value in settings.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())
