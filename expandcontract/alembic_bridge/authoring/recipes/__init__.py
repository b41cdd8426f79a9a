"""The recipes: one file each, whose name is the recipe's."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from expandcontract.alembic_bridge.authoring.recipe import Recipe


@cache
def all_recipes() -> Mapping[str, type[Recipe]]:
    """Each recipe by its name, in the order of names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return {name.replace("_", "-"): _recipe_of(name) for name in names}


def _recipe_of(name: str) -> type[Recipe]:
    module = import_module(f"{__name__}.{name}")
    class_name = "".join(word.title() for word in name.split("_"))
    found: type[Recipe] = getattr(module, class_name)
    return found
