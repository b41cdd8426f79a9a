"""``ec colour``: record who has traffic, and ask before it moves. Needs the ledger alone, no tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from expandcontract.commands.asking import ask_alerts
from expandcontract.commands.ledger_session import LedgerSession, facts_of, open_ledger, states
from expandcontract.commands.result import Outcome, Result
from expandcontract.config import Settings
from expandcontract.domain.colour import Colour, Router
from expandcontract.domain.evidence import Alert, Verdict
from expandcontract.domain.facts import Facts
from expandcontract.domain.gate import contracts_that_end, shift_refusals, traffic_refusals
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.release import Release
from expandcontract.domain.step import Step
from expandcontract.errors import UsageError

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


@dataclass(frozen=True)
class ColourView:
    """A colour with what people ask first: its release, its weight, and when that release last had traffic."""

    name: str
    release: str
    weight: int
    is_live: bool
    last_traffic: datetime | None


@dataclass(frozen=True, kw_only=True)
class ColourResult(Result):
    """The router as it is (with `dry_run`: as it would be)."""

    colours: tuple[ColourView, ...] = ()
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class DeployResult(ColourResult):
    """``tables`` is how many tables the models of the release declare; None where that isn't known."""

    tables: int | None = None


def traffic(settings: Settings, *, weights: Mapping[str, int], dry_run: bool = False) -> ColourResult:
    """
    Record the router's weights; a colour that isn't named has none. Never refuses to know the truth.

    Raises:
        UsageError: an unknown colour, or weights that don't add up to 100 (or to 0: nobody is served).
        EcError: see `expandcontract.errors`.
    """
    check_names(*weights)
    if sum(weights.values()) not in (0, 100):
        raise UsageError(
            f"the weights add up to {sum(weights.values())}",
            because="they describe the whole router, so they are 100 together (or 0, where nobody is served)",
            next_command="ec colour traffic blue=90 green=10",
        )
    with open_ledger(settings) as session:
        router = router_of(session)
        for name in weights:
            _known(router, name)
        move = Move("traffic", {"weights": dict(weights), "live": sorted(name for name in weights if weights[name])})
        return move.make(session, dry_run=dry_run, to=lambda router, now: router.shift(weights, now))


def retire(settings: Settings, *, colour: str, dry_run: bool = False) -> ColourResult:
    """
    Record that `colour` is gone. The release that it ran stays known: its windows go on.

    Whoever was interrupted may ask again: the outcome is `Outcome.NOTHING` where it was retired before.

    Raises:
        UsageError: an unknown colour, or one that has traffic.
        EcError: see `expandcontract.errors`.
    """
    with open_ledger(settings) as session:
        router = router_of(session)
        if colour not in router.colours and session.has_ledger and session.ledger.was_retired(colour):
            views = views_of(router, session.ledger.now())
            return ColourResult(outcome=Outcome.NOTHING, colours=views, dry_run=dry_run)
        known = _known(router, colour)
        if known.is_live:
            raise UsageError(
                f"{colour} has {known.weight} % of the traffic, so it can't be retired",
                next_command="record first who has the traffic now: ec colour traffic OTHER=100",
            )
        move = Move("retire", {"colour": colour, "release": known.release})
        return move.make(session, dry_run=dry_run, to=lambda router, now: router.retire(colour, now))


def show(settings: Settings) -> ColourResult:
    """
    The colours as the ledger knows them.

    Raises:
        EcError: see `expandcontract.errors`.
    """
    with open_ledger(settings) as session:
        router = router_of(session)
        views = views_of(router, session.ledger.now())
        return ColourResult(outcome=Outcome.DONE if views else Outcome.NOTHING, colours=views)


@dataclass(frozen=True, kw_only=True)
class CheckResult(ColourResult):
    """
    ``ends``: the contracts that wait and that the release lacks, each of which will end the way back to it.

    ``alerts`` is what the alert sources say; a way back asks none. ``release`` is the one that was asked about.
    """

    release: str
    rollback: bool = False
    ends: tuple[Step, ...] = ()
    alerts: tuple[Alert, ...] = ()

    @property
    def is_news(self) -> bool:
        """See `Result.is_news`; that an alert source objects as well, for either no pauses a shift."""
        return self.outcome is Outcome.FINDINGS or super().is_news


def check(settings: Settings, *, name: str, rollback: bool = False) -> CheckResult:
    """
    May a release take traffic? Answered from the database and the alert sources; changes nothing.

    The outcome is `Outcome.FINDINGS` where only an alert source objects.

    Args:
        settings: the settings.
        name: a colour, which stands for the release on it, or the tag of a release.
        rollback: it is to be the way back, so it must have had traffic before, and neither an alert nor a step that is
            stuck may stand in the way: they may well be why somebody goes back.

    Raises:
        UsageError: neither a colour nor a release, or no way back because its release never had any traffic.
        EcError: see `expandcontract.errors`.
    """
    with open_ledger(settings) as session:
        router = router_of(session)
        release = _asked_about(router, name)
        if rollback and release.last_traffic is None:
            raise UsageError(
                f"release {release.tag} never had any traffic, so there is no way back to it",
                next_command=f"ec colour check {name} asks whether it may take traffic for the first time",
            )
        facts = _facts(session, router)
        refused = traffic_refusals(release, facts) if rollback else shift_refusals(release, facts)
        shown = {name} if name in router.colours else set(router.colours_of(release.tag))
        views = tuple(view for view in views_of(router, session.ledger.now()) if view.name in shown)
        alerts = () if rollback else ask_alerts(settings)
        objecting = any(alert.verdict is not Verdict.CLEAR for alert in alerts)
        return CheckResult(
            outcome=Outcome.REFUSED if refused else Outcome.FINDINGS if objecting else Outcome.DONE,
            refusals=refused,
            colours=views,
            rollback=rollback,
            ends=contracts_that_end(release, facts),
            alerts=alerts,
            release=release.tag,
        )


@dataclass(frozen=True)
class Move:
    """A change of the router, with the event that records it."""

    kind: str
    event: Mapping[str, object]

    def make(self, session: LedgerSession, *, dry_run: bool, to: Callable[[Router, datetime], Router]) -> ColourResult:
        """Record the move, and judge every release that has traffic after it."""
        timeline = session.timeline if self.kind == "traffic" else None
        with _transaction(session, dry_run=dry_run):
            if not dry_run:
                session.ledger.lock_router()
            before, now = router_of(session), session.ledger.now()
            after = to(before, now)
            refused = _broken(after, _facts(session, after))
            if not dry_run:
                session.ledger.put_router(after, before)
                session.ledger.put_traffic_timeline(timeline)
                session.ledger.record(self.kind, {**self.event, "breaks": [refusal.because for refusal in refused]})
        return ColourResult(
            outcome=Outcome.REFUSED if refused else Outcome.DONE,
            refusals=refused,
            colours=views_of(after, now),
            dry_run=dry_run,
        )


def _transaction(session: LedgerSession, *, dry_run: bool) -> AbstractContextManager[object]:
    return session.connection.transaction(force_rollback=dry_run)


def _broken(after: Router, facts: Facts) -> tuple[Refusal, ...]:
    """Why releases that have traffic now may not have it."""
    return tuple(refusal for release in after.live_releases for refusal in traffic_refusals(release, facts))


def broken_now(session: LedgerSession) -> tuple[Refusal, ...]:
    """Why releases that the ledger has live may not be."""
    router = router_of(session)
    return _broken(router, _facts(session, router))


def _facts(session: LedgerSession, router: Router) -> Facts:
    """The facts, with `router` in place of the recorded one."""
    records = session.ledger.steps() if session.has_ledger else {}
    return facts_of(session.ledger, router, states(records), records)


def router_of(session: LedgerSession) -> Router:
    """The router as the ledger has it; empty where there is no ledger."""
    return session.ledger.router() if session.has_ledger else Router()


def _known(router: Router, name: str) -> Colour:
    if name not in router.colours:
        known = ", ".join(sorted(router.colours)) or "none yet"
        raise UsageError(
            f"there is no colour {name!r}",
            because=f"the ledger knows {known}",
            next_command=f"ec colour deploy {name} RELEASE (from the tree that it runs)",
        )
    return router.colours[name]


def _asked_about(router: Router, name: str) -> Release:
    """The release on the colour of that name, or the release of that tag."""
    if name in router.releases and name not in router.colours:
        return router.releases[name]
    return router.releases[_known(router, name).release]


def check_names(*names: str) -> None:
    """
    Check that these can be names of colours and releases.

    Raises:
        UsageError: one can't.
    """
    for name in names:
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} can't be a name: 1 to 100 characters, none of them a control character")


def views_of(router: Router, now: datetime) -> tuple[ColourView, ...]:
    """The colours as people see them, by name."""
    return tuple(
        ColourView(name, colour.release, colour.weight, colour.is_live, router.last_traffic(colour.release, now))
        for name, colour in sorted(router.colours.items())
    )
