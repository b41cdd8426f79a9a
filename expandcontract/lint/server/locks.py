"""PostgreSQL's table locks, weakest first: https://www.postgresql.org/docs/current/explicit-locking.html."""

from __future__ import annotations

from enum import IntEnum


class Lock(IntEnum):
    """A table lock mode, by the number that PostgreSQL gives it."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    def __str__(self) -> str:
        return self.name.replace("_", " ")

    @property
    def blocks(self) -> str:
        """What the application notices while this lock is held or waited for."""
        return _BLOCKS[self]


_WRITES = "every write waits, reads go on"
_BLOCKS = {
    Lock.ACCESS_SHARE: "nothing waits but an ACCESS EXCLUSIVE",
    Lock.ROW_SHARE: "nothing waits but DDL",
    Lock.ROW_EXCLUSIVE: "nothing waits but DDL",
    Lock.SHARE_UPDATE_EXCLUSIVE: "reads and writes go on; vacuum and other DDL wait",
    Lock.SHARE: _WRITES,
    Lock.SHARE_ROW_EXCLUSIVE: _WRITES,
    Lock.EXCLUSIVE: _WRITES,
    Lock.ACCESS_EXCLUSIVE: "every read and every write waits",
}
