"""The health signals that the settings ask for; where those outside the database meet what can ask them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import psycopg

from expandcontract.backfill.health.configuration import ALL, Source, signals
from expandcontract.backfill.health.outside import Number, Objection
from expandcontract.backfill.health.signal import Scene, Signal, Unreadable
from expandcontract.backfill.health.watch import What
from expandcontract.config import Settings
from expandcontract.domain.redaction import redact, secrets_of
from expandcontract.domain.throttle import Verdict
from expandcontract.errors import UsageError
from expandcontract.evidence.alerts import Address, Unanswered, firing_alerts, prometheus_value, unwell

Answer = TypeVar("Answer")


def watched_signals(settings: Settings, ignored: Collection[str]) -> What:
    """
    What a backfill under these settings looks at, without the signals `ignored`.

    Raises:
        UsageError: one of those isn't known.
    """
    unknown = sorted({*ignored} - settings.health.names - {ALL})
    if unknown:
        raise UsageError(
            f"there is no health signal {', '.join(unknown)}",
            because=f"there are {', '.join(sorted(settings.health.names))}, and {ALL} for every one",
        )
    return signals(settings.health, ask, ignored)


def verdicts(settings: Settings, connection: psycopg.Connection[Any], names: Collection[str]) -> tuple[Verdict, ...]:
    """What the signals of these names say just now; one that the role can't read says nothing."""
    what = watched_signals(settings, settings.health.names - set(names))
    scene = Scene(connection, 0, what.ignored_standbys)
    found: list[Verdict] = []
    for watched in what.signals:
        with suppress(Unreadable):
            found += watched.signal.look(scene)
    return tuple(found)


def ask(source: Source) -> Signal:
    """The signal that asks a source outside."""
    name, address = f"{source.kind}.{source.name}", Address(source.url, source.token_env)
    hidden = partial(redact, secrets=secrets_of(source, os.environ))

    def answer(question: Callable[[], Answer]) -> Answer:
        try:
            return question()
        except Unanswered as error:
            raise Unreadable(hidden(str(error))) from None

    def objections() -> Sequence[str]:
        if source.kind == "alertmanager":
            return [hidden(words) for words in answer(lambda: firing_alerts(address, source.matchers))]
        return answer(lambda: unwell(address))

    if source.kind == "prometheus":
        return Number(name, lambda: answer(lambda: prometheus_value(address, source.query)), source.limits)
    return Objection(name, objections)
