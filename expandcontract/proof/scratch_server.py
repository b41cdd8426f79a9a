"""
A PostgreSQL server of our own, run from the programs on this machine and reachable over loopback only.

Whatever happens to the process that started it, the server ends with it and its files go, unless it is kept on purpose.
Only processes of its own are ever signalled.
"""

from __future__ import annotations

import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

from expandcontract.errors import ConfigurationError, TryLater
from expandcontract.proof.account import (
    bare_environment,
    identity,
    run,
    server_account,
    temporary_parents,
    usable_parent,
)
from expandcontract.proof.installation import Installation, choose_installation
from expandcontract.proof.readable_copy import runnable_programs
from expandcontract.proof.server_directory import ServerDirectory

StopMode = Literal["smart", "fast", "immediate"]

SUPERUSER = "postgres"

_STOP_SIGNALS: dict[StopMode, signal.Signals] = {
    "smart": signal.SIGTERM,  # waits until the last client has gone
    "fast": signal.SIGINT,  # ends the clients' sessions, then shuts down cleanly
    "immediate": signal.SIGQUIT,  # no clean shutdown: the next start recovers
}
_POLL_SECONDS = 0.02
# The pipe on its standard input closes when we end, in whatever way; a line on it says that no help is needed.
_GUARD_SCRIPT = 'read -r released || exec sh "$1"'


class ScratchServer:
    """
    A throw-away cluster, running from ``with ScratchServer() as server`` until the block ends.

    Args:
        installation: which programs; by default what `choose_installation` returns.
        durable: leave fsync and full-page writes on, for tests that cut the power.
        settings: further lines of postgresql.conf; the address, port and socket stay the server's own.
        password: the superuser's password; by default a random one.
        trust: ask nobody on loopback for a password. Every user of the machine is then a superuser of this server.
        environment: further variables for the server process, such as those of libfaketime.
        parent: where the server's directory is made, such as on a RAM disk; by default where temporary files go.
        keep: let the server run on when the block ends normally; ``stop_command`` ends it later.
        start_timeout: seconds until a start counts as failed, crash recovery included.

    Raises:
        ConfigurationError: there is no installation, it can't be run by this user, or the server didn't start; with
            what it wrote last.
    """

    directory: Path
    port: int

    def __init__(
        self,
        installation: Installation | None = None,
        *,
        durable: bool = False,
        settings: Mapping[str, str | int] | None = None,
        password: str | None = None,
        trust: bool = False,
        environment: Mapping[str, str] | None = None,
        parent: Path | None = None,
        keep: bool = False,
        start_timeout: float = 60.0,
    ) -> None:
        self.installation = installation or choose_installation()
        self.password = None if trust else password or secrets.token_urlsafe(12)
        self._settings = {**({} if durable else {"fsync": "off", "full_page_writes": "off"}), **(settings or {})}
        self._environment = {**bare_environment(), **(environment or {})}
        self._parents = [str(parent)] if parent else temporary_parents()
        self._keep = keep
        self._start_timeout = start_timeout
        self._account = server_account()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._has_served = False

    def __enter__(self) -> Self:
        self._bin_dir = runnable_programs(self.installation, self._account)
        parent = usable_parent(self._parents, self._account)
        self.directory = Path(tempfile.mkdtemp(prefix="ec-pg-", dir=parent))
        try:
            self._files = ServerDirectory(self.directory, self._account)
            self._files.prepare()
            self._watch_over()
            self._initialise()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._keep and error is None:
            self._dismiss_guard()
        else:
            self.close()

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version, such as (18, 4)."""
        return self.installation.version

    @property
    def data_dir(self) -> Path:
        """The data directory; as root, it belongs to another user."""
        return self._files.data

    @property
    def socket_dir(self) -> Path:
        """The directory of the unix socket."""
        return self._files.socket

    @property
    def log_file(self) -> Path:
        """What the server writes, over all its starts."""
        return self._files.log

    @property
    def stop_command(self) -> str:
        """The shell command that stops a kept server and removes its files."""
        return f"sh {shlex.quote(str(self._files.stop_script))}"

    @property
    def is_running(self) -> bool:
        """Whether the postmaster lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, or None when it doesn't run."""
        return self._process.pid if self._process and self.is_running else None

    def dsn(self, database: str = "postgres", *, user: str = SUPERUSER, password: str | None = None) -> str:
        """Return the libpq URI of a database here; the superuser's password is known, another's must be given."""
        known = self.password if user == SUPERUSER else None
        secret = known if password is None else password
        login = quote(user, safe="") + (f":{quote(secret, safe='')}" if secret else "")
        return f"postgresql://{login}@127.0.0.1:{self.port}/{quote(database, safe='')}"

    def start(self) -> None:
        """
        Start the server and return when it accepts connections; a running one is left alone.

        Raises:
            ConfigurationError: it didn't start in time, or at all; with what it wrote last.
        """
        deadline = time.monotonic() + self._start_timeout
        while not self.is_running:
            if not self._has_served:  # afterwards the port stays, for clients know it
                self.port = _free_port()
            self._files.configure(self.port, self._settings, with_password=self.password is not None)
            said_before = self.log_file.stat().st_size
            self._launch()
            if self._became_ready(deadline):
                self._has_served = True
                return
            said = self.log_file.read_bytes()[said_before:].decode(errors="replace")
            if time.monotonic() >= deadline or not _may_pass(said):
                raise ConfigurationError(
                    f"{self.installation} didn't start", because="; ".join(said.splitlines()[-3:]) or "it wrote nothing"
                )
            time.sleep(_POLL_SECONDS)

    def stop(self, mode: StopMode = "fast", *, timeout: float = 60.0) -> None:
        """
        Stop the server as ``pg_ctl stop -m <mode>`` does; a stopped one is left alone.

        Raises:
            TryLater: it still runs after ``timeout`` seconds, as in mode smart while a client stays.
        """
        if self._process is None or not self.is_running:
            return
        self._process.send_signal(_STOP_SIGNALS[mode])
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise TryLater(f"the scratch server hasn't stopped within {timeout:g} s (mode {mode})") from error

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop the server, then start it again on the same port."""
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL, as a crash would; its backends end by themselves, and `start` recovers."""
        if self._process is not None and self.is_running:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End the server for good, however long that takes it, and remove its files."""
        try:
            self.stop("fast", timeout=10)
        except TryLater:
            self.kill()
        self._dismiss_guard()
        deadline = time.monotonic() + 10  # a killed postmaster's backends may still be writing
        while self.directory.exists() and time.monotonic() < deadline:
            shutil.rmtree(self.directory, ignore_errors=True)
            time.sleep(0 if not self.directory.exists() else _POLL_SECONDS)

    def _watch_over(self) -> None:
        """Let a process of its own end the server when we are gone without having done so."""
        self._guard = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", _GUARD_SCRIPT, "guard", str(self._files.stop_script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def _initialise(self) -> None:
        password_file = self._files.write("password", self.password or secrets.token_urlsafe(12))
        try:
            for locale in ("C.UTF-8", "C"):
                try:
                    self._initdb(password_file, locale)
                    return
                except subprocess.CalledProcessError as error:
                    if locale == "C" or "invalid locale" not in error.stderr:
                        raise ConfigurationError(
                            f"{self.installation} couldn't make a cluster", because=error.stderr.strip()
                        ) from error
        finally:
            password_file.unlink()

    def _initdb(self, password_file: Path, locale: str) -> None:
        program = str(self._bin_dir / "initdb")
        options = [f"--pgdata={self.data_dir}", f"--username={SUPERUSER}", f"--pwfile={password_file}"]
        options += [f"--locale={locale}", "--encoding=UTF8", "--auth=scram-sha-256", "--no-sync"]
        run([program, *options], self._account, cwd=self.directory)

    def _launch(self) -> None:
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [str(self._bin_dir / "postgres"), "-D", str(self.directory)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self.directory,
                umask=0o077,
                start_new_session=True,  # our terminal's signals aren't meant for it
                **identity(self._account),
            )

    def _became_ready(self, deadline: float) -> bool:
        while self.is_running:
            if self._says_ready():
                return True
            if time.monotonic() >= deadline:
                self.kill()
            time.sleep(_POLL_SECONDS)
        return False

    def _says_ready(self) -> bool:
        """Whether the lock file is this postmaster's and its eighth line, the status, says so: what pg_ctl looks at."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _dismiss_guard(self) -> None:
        if self._guard is not None:
            self._guard.communicate(b"released\n")
            self._guard = None


def _may_pass(said: str) -> bool:
    """Whether a failed start is worth another attempt: the port is taken, or a killed server's backends still end."""
    return "Address already in use" in said or "pre-existing shared memory block" in said


def _free_port() -> int:
    """A port that is free now, from below the range that outgoing connections draw from."""
    for _ in range(200):
        port = 15000 + secrets.randbelow(17000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise TryLater("no free port between 15000 and 32000 on 127.0.0.1")
