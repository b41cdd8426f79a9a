"""The configuration: ``[tool.expandcontract]`` in pyproject.toml, under what flags and ``EC_*`` variables say."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.backfill.health.configuration import HealthSettings, read_health
from expandcontract.colours.configuration import read_witnesses
from expandcontract.colours.witness import Witness
from expandcontract.database.address import check_login
from expandcontract.domain.duration import parse_duration
from expandcontract.domain.proof import Means
from expandcontract.errors import ConfigurationError
from expandcontract.evidence.alert_sources import NamedAlert, read_alert_sources
from expandcontract.evidence.nodes import Replica, read_replicas


@dataclass(frozen=True)
class Settings:
    """
    Everything that can be set, with its default.

    ``lock_timeout`` is the longest that a statement may wait for a lock, and so the longest that the application may
    wait behind it; 1.2 s because autovacuum gives way only after ``deadlock_timeout``, which is 1 s by default.
    """

    contract_after: timedelta = timedelta(days=14)  # the rollback window of a change that names none
    lock_timeout: timedelta = timedelta(milliseconds=1200)
    lock_budget: timedelta = timedelta(minutes=10)  # all attempts of one part together
    hold_timeout: timedelta = timedelta(
        seconds=5
    )  # the longest that the application may wait for a lock that a part has
    cancel_blockers: timedelta | None = None  # end blockers with an older transaction; default: never
    rate: int | None = 10_000  # a backfill's rows per second; None is flat out
    witnesses: int | None = None  # how many colour sources must agree; None is all that are configured
    database_witness: bool = False  # a contract wants each live release to have a session that says so
    observed_gap: timedelta = timedelta(minutes=10)  # the longest time between two looks that still counts as observed
    observed_share: float = 0.95  # how much of its rollback window must have been observed before a contract
    alerts: tuple[NamedAlert, ...] = ()  # who may object to a contract and to a switch
    colours: tuple[Witness, ...] = ()  # who knows the traffic; without any it is what `ec colour traffic` records
    evidence: tuple[Means, ...] = ()  # how references are looked for before a contract removes what they refer to
    approval: bool = False  # a contract wants a person's word, `ec approve`
    tombstone_soak: timedelta | None = None  # how long a tombstone must have stood before a contract drops what it took
    maintenance_roles: tuple[
        str, ...
    ] = ()  # that no release connects as: what they read is no reference, and a tombstone spares them
    probe_role: str | None = None  # for whom, without what a contract removes, the server plans the statements that ran
    roles: Mapping[str, str] = field(default_factory=dict)  # database roles that one colour alone connects as
    replicas: tuple[Replica, ...] = ()  # where the application's statements run as well
    rate_is_asked: bool = False  # on the command line, so that a backfill that has begun changes its rate, too
    rate_is_here: bool = False  # on the command line or in EC_RATE, so that it goes over what a revision declares
    health: HealthSettings = field(default_factory=HealthSettings)  # the signals that a backfill heeds
    webhook: str | None = field(default=None, repr=False)  # is told of refusals, failures and closings
    database_url: str | None = field(default=None, repr=False)  # for ec's own connections; default: env.py's
    project: ProjectOptions = field(default_factory=ProjectOptions)


def parse_rate(value: object) -> int | None:
    """
    Rows per second from ``10000`` or ``max`` (None: flat out).

    Raises:
        ValueError: anything else.
    """
    if value == "max":
        return None
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(f"{value!r} is not a rate; write rows per second, for example 10000, or max")
    return int(text)


def parse_count(value: object) -> int:
    """
    A whole number above 0.

    Raises:
        ValueError: anything else.
    """
    text = str(value)
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(f"{value!r} is not a whole number above 0")
    return int(text)


def parse_flag(value: object) -> bool:
    """
    Yes or no, from TOML's ``true`` or a variable's.

    Raises:
        ValueError: anything else.
    """
    words = {"true": True, "false": False}
    text = str(value).lower()
    if text not in words:
        raise ValueError(f"{value!r} is neither true nor false")
    return words[text]


def parse_share(value: object) -> float:
    """
    A share from ``95%``, as a number from 0 to 1.

    Raises:
        ValueError: anything else.
    """
    found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%", str(value))
    if not found or float(found[1]) > 100:
        raise ValueError(f"{value!r} is not a share; write for example 95%")
    return float(found[1]) / 100


def parse_address(value: object) -> str:
    """
    An address that begins with http or https.

    Raises:
        ValueError: anything else; without the address, which may be a secret.
    """
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it is no address that begins with http or https")
    return str(value)


def parse_names(value: object) -> tuple[str, ...]:
    """
    Names from a list, or from ``one, two``.

    Raises:
        ValueError: anything else.
    """
    names = [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(each, str) and each for each in names):
        raise ValueError(f"{value!r} is not a list of names")
    return tuple(names)


def parse_name(value: object) -> str:
    """
    A name.

    Raises:
        ValueError: anything else.
    """
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is not a name")
    return value


def parse_means(value: object) -> tuple[Means, ...]:
    """
    Some of the ways to look for references.

    Raises:
        ValueError: there is no such way.
    """
    names = parse_names(value)
    unknown = [name for name in names if name not in list(Means)]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no evidence; there are {', '.join(Means)}")
    return tuple(means for means in Means if means in names)


_LINT = "lint"  # a table of its own, which `ec lint` reads
_HEALTH = "health"  # another, for the signals that a backfill heeds
_COLOURS = "colours"  # another, with a table for each colour source
_ALERTS = "alerts"  # another, with a table for each alert source
_ROLES = "roles"  # another, with the colour of each role that has one
_REPLICAS = "replicas"  # another, with a table for each replica
_TABLES = (_LINT, _HEALTH, _COLOURS, _ALERTS, _ROLES, _REPLICAS)

_READERS: Mapping[str, Callable[[Any], Any]] = {
    "contract_after": lambda value: parse_duration(str(value)),
    "lock_timeout": lambda value: parse_duration(str(value)),
    "lock_budget": lambda value: parse_duration(str(value)),
    "hold_timeout": lambda value: parse_duration(str(value)),
    "cancel_blockers": lambda value: parse_duration(str(value)),
    "rate": parse_rate,
    "witnesses": parse_count,
    "database_witness": parse_flag,
    "observed_gap": lambda value: parse_duration(str(value)),
    "observed_share": parse_share,
    "webhook": parse_address,
    "evidence": parse_means,
    "approval": parse_flag,
    "tombstone_soak": lambda value: parse_duration(str(value)),
    "maintenance_roles": parse_names,
    "probe_role": parse_name,
}


def load_settings(project: ProjectOptions, given: Mapping[str, object]) -> Settings:
    """
    The settings: `given` (flags; None for not given) over ``EC_*`` variables over pyproject.toml over the defaults.

    Raises:
        ConfigurationError: values that can't be used, all of them in one message, each with where it stands.
    """
    file = project.pyproject()
    table = _table(file)
    sources = [(f"{file}: {name}", name, value) for name, value in table.items() if name not in _TABLES]
    variables = {name: f"EC_{name.upper()}" for name in _READERS}
    sources += [
        (variable, name, os.environ[variable]) for name, variable in variables.items() if variable in os.environ
    ]
    sources += [(f"--{name.replace('_', '-')}", name, value) for name, value in given.items() if value is not None]
    health, mistakes = _health(file, table.get(_HEALTH, {}))
    colours, wrong = read_witnesses(table.get(_COLOURS, {}))
    alerts, wrong_alerts = read_alert_sources(table.get(_ALERTS, {}))
    roles, wrong_roles = _roles(table.get(_ROLES, {}))
    replicas, wrong_replicas = read_replicas(table.get(_REPLICAS, {}))
    mistakes += [f"{file}: {mistake}" for mistake in (*wrong, *wrong_alerts, *wrong_roles, *wrong_replicas)]
    address = os.environ.get("EC_DATABASE_URL")
    check_login(address or "", origin="EC_DATABASE_URL")
    settings = Settings(
        project=project,
        health=health,
        colours=colours,
        alerts=alerts,
        roles=roles,
        replicas=replicas,
        database_url=address,
    )
    for place, name, value in sources:
        if name not in _READERS:
            mistakes.append(f"{place} is unknown; there are {', '.join(_READERS)}")
            continue
        try:
            settings = replace(settings, **{name: _READERS[name](value)})
        except ValueError as error:
            mistakes.append(f"{place}: {error}")
    if settings.witnesses is not None and not mistakes and settings.witnesses > len(colours):
        mistakes.append(f"witnesses is {settings.witnesses}, and {len(colours)} colour source(s) are configured")
    if mistakes:
        raise ConfigurationError("the configuration can't be used", because="; ".join(mistakes))
    asked = given.get("rate") is not None
    settings = replace(settings, rate_is_asked=asked, rate_is_here=asked or variables["rate"] in os.environ)
    if settings.lock_timeout <= timedelta(0):
        raise ConfigurationError("lock-timeout must be more than 0, or a step could wait for ever")
    if settings.hold_timeout <= timedelta(0):
        raise ConfigurationError(
            "hold_timeout must be more than 0, or every step would be cancelled that somebody meets"
        )
    return settings


def _health(file: Path, table: object) -> tuple[HealthSettings, list[str]]:
    if not isinstance(table, dict):
        return HealthSettings(), [f"{file}: {_HEALTH} must be a table"]
    health, mistakes = read_health(table, os.environ)
    return health, [mistake if mistake.startswith("EC_") else f"{file}: {mistake}" for mistake in mistakes]


def _roles(table: object) -> tuple[Mapping[str, str], list[str]]:
    if not isinstance(table, dict) or not all(isinstance(colour, str) and colour for colour in table.values()):
        return {}, [f'{_ROLES} must be a table of roles and their colours, such as app_blue = "blue"']
    return table, []


def _table(file: Path) -> Mapping[str, Any]:
    if not file.exists():
        return {}
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file} can't be read", because=str(error)) from None
    tool = document.get("tool", {})
    table = tool.get("expandcontract", {}) if isinstance(tool, dict) else tool
    if not isinstance(table, dict):
        raise ConfigurationError(f"{file}: [tool.expandcontract] must be a table")
    return table
