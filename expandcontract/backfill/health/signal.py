"""What a health signal is: a look at one thing, and a verdict on what was seen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import psycopg

from expandcontract.database.health import Standby, standbys
from expandcontract.domain.quantity import Unit, parse_limits, said_against
from expandcontract.domain.throttle import Limits, Verdict


class Unreadable(Exception):
    """A signal couldn't be read, and why."""


@dataclass
class Scene:
    """
    Where one look takes place.

    Attributes:
        connection: to the primary, in autocommit mode.
        root: the oid of the table that is filled, or of the partitioned table it belongs to.
        ignored_standbys: names of those that don't count, such as one that is late on purpose.
        now: when it is, in seconds of a clock that never goes back.
    """

    connection: psycopg.Connection[Any]
    root: int
    ignored_standbys: frozenset[str] = frozenset()
    now: float = field(default_factory=time.monotonic)

    @cached_property
    def standbys(self) -> tuple[Standby, ...]:
        """
        Who replicates from here.

        Raises:
            Unreadable: the role may not see them.
        """
        found = standbys(self.connection)
        if any(one.state is None for one in found):
            raise Unreadable(f"the role may not see pg_stat_replication: GRANT pg_monitor TO {self._role}")
        return tuple(one for one in found if one.name not in self.ignored_standbys)

    @property
    def _role(self) -> str:
        return f'"{self.connection.info.user}"'


class Signal(Protocol):
    """
    Looks at one thing.

    A signal may remember earlier looks; it never decides what becomes of the backfill.
    """

    @property
    def name(self) -> str:
        """Its key in the configuration."""

    def look(self, scene: Scene) -> Sequence[Verdict]:
        """
        What it says now; one verdict for each standby, slot or alert it knows of.

        Raises:
            Unreadable: it can't be read.
            psycopg.Error: the server says so.
        """


@dataclass(frozen=True)
class Kind:
    """
    A signal as the configuration knows it.

    Attributes:
        name: its key.
        measures: what it looks at, for the reference page.
        default: its value where nobody has set one; ``off`` for a signal that needs a number of yours.
        example: a value that means something.
        make: a signal from its value.
    """

    name: str
    measures: str
    default: str
    example: str
    make: Callable[[str], Signal]


def kind_with_limits(name: str, measures: str, default: str, unit: Unit, make: Callable[[Limits], Signal]) -> Kind:
    """A kind whose value is a pair of limits."""
    return Kind(name, measures, default, unit.example, lambda text: make(parse_limits(text, unit)))


def judged(signal: str, value: float, limits: Limits, unit: Unit, *, subject: str = "", what: str = "") -> Verdict:
    """The verdict on one value; `what` says whose value it is."""
    words = said_against(value, limits, unit)
    return Verdict(signal, limits.level(value), f"{what} {words}".strip(), subject)


def one_value(connection: psycopg.Connection[Any], query: str) -> float:
    """
    The one number that a user's query gives; it may not write.

    Raises:
        Unreadable: it gives no number, or more than one.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION READ ONLY")
        rows = connection.execute(query.encode()).fetchmany(2)
    try:
        ((value,),) = rows
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):  # which is neither above a limit nor below
        raise Unreadable("the query doesn't give one number")
    return number
