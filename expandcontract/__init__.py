"""
Expand, backfill and contract for PostgreSQL, in step with the live colour.

What a revision file or an env.py needs is here: ``from expandcontract import Backfill, Sync``; and what the
application needs: ``connect`` and ``ready``. The names are loaded on first use, so that ``import expandcontract`` costs
nothing. Those for revision files register ``op.create_sync`` and ``op.drop_sync``, and teach Alembic's autogenerate
what waiting contracts are going to do.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expandcontract.alembic_bridge.collapse import collapse
    from expandcontract.alembic_bridge.contracted import guard_downgrades, refuse_if_contracted
    from expandcontract.commands.ready import ready
    from expandcontract.domain.change import Backfill, Sync
    from expandcontract.evidence.marking import connect

__all__ = ["Backfill", "Sync", "collapse", "connect", "guard_downgrades", "ready", "refuse_if_contracted"]

_FOR_THE_APPLICATION = {
    "connect": "expandcontract.evidence.marking",
    "ready": "expandcontract.commands.ready",
}

_HOMES = {
    "Backfill": "expandcontract.domain.change",
    "Sync": "expandcontract.domain.change",
    "collapse": "expandcontract.alembic_bridge.collapse",
    "guard_downgrades": "expandcontract.alembic_bridge.contracted",
    "refuse_if_contracted": "expandcontract.alembic_bridge.contracted",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _FOR_THE_APPLICATION:  # which has no need of Alembic
        return getattr(import_module(_FOR_THE_APPLICATION[name]), name)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_module("expandcontract.alembic_bridge.operations")
    import_module("expandcontract.alembic_bridge.waiting")
    return getattr(import_module(_HOMES[name]), name)
