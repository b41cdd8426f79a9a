"""All rules, found by listing the package `rules`: a rule is added by adding its file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from expandcontract.lint import rules
from expandcontract.lint.rule import Rule
from expandcontract.lint.statement import Action


@cache
def all_rules() -> Mapping[str, Rule]:
    """Give every rule by its name, such as ``index-not-concurrent``."""
    found = {}
    for module in iter_modules(rules.__path__):
        path = f"{rules.__name__}.{module.name}"
        import_module(path)
        found[module.name.replace("_", "-")] = sys.modules[path].RULE
    return found


_by_action: dict[type[Action], tuple[tuple[str, Rule], ...]] = {}


def rules_on(action: type[Action]) -> tuple[tuple[str, Rule], ...]:
    """Give the rules, with their names, that judge actions of this type."""
    found = _by_action.get(action)
    if found is None:
        found = tuple((name, rule) for name, rule in all_rules().items() if issubclass(action, rule.on))
        _by_action[action] = found
    return found
