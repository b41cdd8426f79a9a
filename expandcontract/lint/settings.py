"""The user's choices, from the table ``[tool.expandcontract.lint]`` of pyproject.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expandcontract.errors import ConfigurationError
from expandcontract.lint.catalogue import rule_names
from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import NEWEST, OLDEST
from expandcontract.lint.severity import Severities
from expandcontract.lint.value import Value

_KEYS = frozenset(("server_version", "time_zone", "baseline", "severity", "paths"))


class Settings(Value):
    """What ``ec lint`` assumes, and how grave it takes what it finds."""

    server_version: str = "16"
    time_zone: str | None = None
    baseline: str | None = None
    severities: Severities = Severities()


def read_settings(table: Mapping[str, Any]) -> Settings:
    """
    Give the settings of a configuration table; an empty one gives the defaults.

    Raises:
        ConfigurationError: every mistake in the table, all together.

    """
    mistakes = [f"unknown key {key!r}" for key in sorted(set(table) - _KEYS)]
    version = str(table.get("server_version", "16"))
    if not _is_supported(version):
        mistakes.append(f"server_version {version!r} is none of {OLDEST} to {NEWEST}")
    severities = _severities(table.get("severity", {}), "severity", mistakes)
    by_path = {
        pattern: _severities(chosen, f"paths.{pattern!r}", mistakes)
        for pattern, chosen in table.get("paths", {}).items()
    }
    if mistakes:
        raise ConfigurationError("[tool.expandcontract.lint] can't be used: " + "; ".join(mistakes))
    return Settings(version, table.get("time_zone"), table.get("baseline"), Severities(severities, by_path))


def _is_supported(version: str) -> bool:
    major, _, minor = version.partition(".")
    return major.isdigit() and OLDEST <= int(major) <= NEWEST and (not minor or minor.isdigit())


def _severities(table: Mapping[str, Any], where: str, mistakes: list[str]) -> dict[str, Severity]:
    known = set(rule_names()) | {str(hazard) for hazard in Hazard}
    found = {}
    for name, value in table.items():
        if name not in known:
            mistakes.append(f"{where}: there is no rule or class {name!r}")
        elif value not in set(Severity):
            mistakes.append(f"{where}: {name} is {value!r}, not one of {', '.join(Severity)}")
        else:
            found[name] = Severity(value)
    return found
