"""
Expand, backfill and contract for PostgreSQL, in step with the live colour.

What a revision file needs is here: ``from expandcontract import Backfill, Sync``. The names are loaded on first use,
so that ``import expandcontract`` costs nothing; loading them registers ``op.create_sync`` and ``op.drop_sync``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expandcontract.domain.change import Backfill, Sync

__all__ = ["Backfill", "Sync"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    import_module("expandcontract.alembic_bridge.operations")
    return getattr(import_module("expandcontract.domain.change"), name)
