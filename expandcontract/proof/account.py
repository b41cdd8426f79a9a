"""The user that a server of ours runs as, what it may reach, and running programs as that user."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expandcontract.errors import ConfigurationError

_LONGEST_DIRECTORY = 60  # a unix socket's whole path must stay under about 100 bytes


@dataclass(frozen=True)
class Account:
    """Whom the server runs as when we are root, which PostgreSQL refuses to run as."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """
    Give whom the server has to run as; None means ourselves.

    Raises:
        ConfigurationError: we are root, and there is nobody else.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        "PostgreSQL refuses to run as root, and this machine has no user postgres or nobody to run it as",
        next_command="useradd --system postgres",
    )


def identity(account: Account | None) -> dict[str, Any]:
    """Give the arguments that make `subprocess` run something as the account."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def temporary_parents() -> list[str]:
    """Give the directories that temporary files may go to."""
    return list(dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")))  # noqa: S108 (only mkdtemp writes there)


def usable_parent(candidates: Sequence[str], account: Account | None) -> Path:
    """
    Give the first directory that is short enough to hold a socket, writable, and passable for the server's user.

    Raises:
        ConfigurationError: none of them is.
    """
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


def run(command: list[str], account: Account | None, *, cwd: Path) -> None:
    """
    Run one of the server's programs as the account.

    Raises:
        CalledProcessError: it failed; with what it wrote.
        OSError: it can't be run.
    """
    subprocess.run(  # noqa: S603 (programs of the chosen installation, our own arguments)
        command,
        env=bare_environment(),
        cwd=cwd,
        umask=0o077,
        capture_output=True,
        text=True,
        check=True,
        **identity(account),
    )


def bare_environment() -> dict[str, str]:
    """Little of ours, for root's secrets are none of the server's business; English, because messages are read."""
    inherited = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return {**inherited, "LC_ALL": "C"}
