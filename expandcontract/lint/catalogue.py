"""
The rules by name and by what they judge, each loaded when it is first asked for.

Most texts need a third of the rules, and importing the others takes longer than judging a hundred statements.
`rule_index` says which actions a rule judges; ``python tools/build_rule_pages.py`` writes it from the rule files.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from functools import cache
from importlib import import_module

from expandcontract.lint.rule import Rule
from expandcontract.lint.rule_index import JUDGES
from expandcontract.lint.statement import Action


def rule_names() -> Collection[str]:
    """Give the names of all rules, in order, without loading any."""
    return JUDGES.keys()


@cache
def rule_named(name: str) -> Rule:
    """
    Give the rule of this name, such as ``index-not-concurrent``.

    Raises:
        KeyError: there is no such rule.

    """
    if name not in JUDGES:
        raise KeyError(name)
    path = f"expandcontract.lint.rules.{name.replace('-', '_')}"
    import_module(path)
    rule: Rule = sys.modules[path].RULE
    return rule


def all_rules() -> Mapping[str, Rule]:
    """Give every rule by its name."""
    return {name: rule_named(name) for name in JUDGES}


_by_action: dict[type[Action], tuple[tuple[str, Rule], ...]] = {}


def rules_on(action: type[Action]) -> tuple[tuple[str, Rule], ...]:
    """Give the rules, with their names, that judge actions of this type."""
    found = _by_action.get(action)
    if found is None:
        kinds = {each.__name__ for each in action.__mro__}
        found = tuple((name, rule_named(name)) for name, judged in JUDGES.items() if not kinds.isdisjoint(judged))
        _by_action[action] = found
    return found
