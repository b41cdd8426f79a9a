"""How grave a finding is: by the rule's class, by the phase, and by what the user configured."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch

from expandcontract.domain.phase import Phase
from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Rule
from expandcontract.lint.value import Value

_NONE: Mapping[str, Severity] = {}
_NO_PATHS: Mapping[str, Mapping[str, Severity]] = {}
_BY_CLASS = {Hazard.ADVICE: Severity.NOTE, Hazard.ANALYSIS: Severity.WARNING}
# What a contract exists for: it removes what nobody needs any more, so these are expected there.
_EXPECTED_IN_CONTRACT = frozenset((Hazard.DESTRUCTIVE, Hazard.COMPATIBILITY))


def default_severity(rule: Rule, phase: Phase | None) -> Severity:
    """Give the severity of a rule's findings in this phase; SQL without a phase is read as expand."""
    if phase is Phase.CONTRACT:
        if rule.in_contract:
            return rule.in_contract
        if rule.hazard in _EXPECTED_IN_CONTRACT:
            return Severity.OFF
    return rule.severity or _BY_CLASS.get(rule.hazard, Severity.ERROR)


class Severities(Value):
    """
    The user's choice: severities by rule name or class letter, everywhere and by path pattern.

    A pattern begins at any folder of a path: paths are relative to where `ec lint` is run, which the user can't know.
    """

    everywhere: Mapping[str, Severity] = _NONE
    by_path: Mapping[str, Mapping[str, Severity]] = _NO_PATHS

    def of(self, name: str, rule: Rule, phase: Phase | None, path: str | None = None) -> Severity:
        """Give the severity that holds: the path's choice, else the general one, else the default."""
        for pattern, chosen in self.by_path.items():
            if path and (fnmatch(path, pattern) or fnmatch(path, f"*/{pattern}")):
                found = chosen.get(name) or chosen.get(rule.hazard)
                if found:
                    return found
        chosen_here = self.everywhere.get(name)
        if chosen_here:
            return chosen_here
        default = default_severity(rule, phase)
        by_class = self.everywhere.get(rule.hazard)
        return by_class if by_class and default is not Severity.OFF else default
