"""
What an action makes PostgreSQL do: which relations it locks and how, and what work it does under the locks.

The one place with such knowledge; the rules ask here, and every answer is compared with measurements on
PostgreSQL 10 to 18. Lock levels: https://www.postgresql.org/docs/current/explicit-locking.html and
AlterTableGetLockLevel() in the server's tablecmds.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from expandcontract.lint.server import columns, constraints, objects, relations
from expandcontract.lint.server.server import Effects, Server
from expandcontract.lint.statement import Action

_HANDLERS: dict[type[Action], Callable[..., None]] = {
    **columns.HANDLERS,
    **constraints.HANDLERS,
    **relations.HANDLERS,
    **objects.HANDLERS,
}


def effects_of(actions: Iterable[Action], server: Server) -> Effects:
    """Give what these actions of one statement do together; see `Server.during`."""
    found = Effects()
    for action in actions:
        handler = _HANDLERS.get(type(action))
        if handler:
            handler(action, server, found)
    return found
