"""How much WAL waits to be archived."""

from __future__ import annotations

import re
from collections.abc import Sequence

from expandcontract.backfill.health.signal import Scene, judged, kind_with_limits
from expandcontract.database.health import Archiver, archiver
from expandcontract.domain.quantity import BYTES
from expandcontract.domain.throttle import Limits, Verdict

NAME = "archive_backlog"
_FILE = re.compile(r"[0-9A-F]{8}([0-9A-F]{8})([0-9A-F]{8})")


class ArchiveBacklog:
    """Compares the file that was archived last with the one that is written now."""

    name = NAME

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._first: str | None = None

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """See `Signal.look`; where nothing has been archived yet, the backlog begins with our first look."""
        found = archiver(scene.connection)
        self._first = self._first or found.current
        return judge(found, self._first, self._limits)


def judge(archive: Archiver, first: str, limits: Limits) -> list[Verdict]:
    """A verdict on the archive, none where there is no archive; `first` is the file written when we began to look."""
    if not archive.is_on:
        return []
    last = _number(archive.last or "", archive.file_size)
    done = (_number(first, archive.file_size) or 0) - 1 if last is None else last
    waiting = max(0, (_number(archive.current, archive.file_size) or 0) - done - 1)
    verdict = judged(NAME, waiting * archive.file_size, limits, BYTES, what="waiting:")
    if archive.fails:
        words = f"{verdict.words}; the last attempt failed, see pg_stat_archiver"
        return [Verdict(NAME, verdict.level, words)]
    return [verdict]


def _number(file: str, size: int) -> int | None:
    """Which file of the WAL it is, counted from the first; None for a history file and the like."""
    found = _FILE.match(file)
    return int(found[1], 16) * (2**32 // size) + int(found[2], 16) if found else None


KIND = kind_with_limits(
    NAME,
    "bytes of WAL that wait to be archived, where there is an archive",
    "slow 1GB, stop 4GB",
    BYTES,
    ArchiveBacklog,
)
