"""Whether an object that moves away leaves a view under its old name."""

from __future__ import annotations

from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import CreateView


def leaves_a_view(name: str, scene: Scene) -> bool:
    """Whether a view of this name follows in the same transaction, so that no moment is without one."""
    return any(isinstance(each, CreateView) and each.name == name for each in scene.later_in_transaction())
