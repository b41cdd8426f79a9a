"""Who acts: what each event keeps of the person, the machine and the tree."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Actor:
    """The person, host and process that act, and the commit of the tree they act from, where there is one."""

    person: str
    host: str
    pid: int
    tree: str | None

    @property
    def application_name(self) -> str:
        """What other sessions see in ``pg_stat_activity``; PostgreSQL keeps 63 bytes of it."""
        return f"ec:{self.host}:{self.pid}"[:63]


def current_actor(folder: Path) -> Actor:
    """The running process, acting from the tree in `folder`. ``EC_PERSON`` and ``EC_TREE`` override what is found."""
    return Actor(
        person=os.environ.get("EC_PERSON") or _login(),
        host=socket.gethostname(),
        pid=os.getpid(),
        tree=os.environ.get("EC_TREE") or _commit(folder),
    )


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a passwd entry
        return f"uid {os.getuid()}"


def _commit(folder: Path) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603
            ["git", "-C", str(folder), "rev-parse", "--short=12", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
