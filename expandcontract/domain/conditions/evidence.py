"""When a contract may run, as far as anybody else can tell: witnesses, sessions, alerts."""

from __future__ import annotations

from collections.abc import Sequence

from expandcontract.domain.change import Change
from expandcontract.domain.duration import format_duration
from expandcontract.domain.evidence import Verdict
from expandcontract.domain.facts import Facts
from expandcontract.domain.moment import at, no_earlier_than
from expandcontract.domain.phase import Phase
from expandcontract.domain.proof import Proof, Sign, worst
from expandcontract.domain.refusal import Code, Refusal, names, refuse
from expandcontract.domain.sighting import TrafficState
from expandcontract.domain.watching import longest


def traffic_is_known(change: Change, facts: Facts) -> Refusal | None:
    """Condition 4: where witnesses are configured, they say just now who has the traffic."""
    seen = facts.evidence.sighting
    if seen is None or seen.state is not TrafficState.UNKNOWN:
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        Code.TRAFFIC_UNKNOWN,
        because=f"who has the traffic is unknown: {seen.because}",
        next="ec observe, until it knows",
    )


def witnesses_agree_with_the_ledger(change: Change, facts: Facts) -> Refusal | None:
    """Condition 4: a cutover that nobody had recorded refuses, even where it is recorded by now."""
    seen = facts.evidence.sighting
    if seen is None or seen.state is TrafficState.UNKNOWN:
        return None
    recorded = {colour.name for colour in facts.router.live}
    if seen.live == recorded and not facts.evidence.just_moved:
        return None
    said = "; ".join(f"{look.witness} says {look.said}" for look in seen.looks if look.live)
    if facts.evidence.just_moved:
        known = "the ledger knew otherwise until a moment ago, and has recorded the cutover now"
    else:
        known = f"the ledger has {names(sorted(recorded)) or 'no colour'} live"
    return refuse(
        change,
        Phase.CONTRACT,
        Code.CUTOVER,
        because=f"{said}; {known}",
        next=f"ec observe, then ec migrate contract {change.revision}",
    )


def window_was_watched(change: Change, facts: Facts) -> Refusal | None:
    """Where witnesses are configured: nobody knows of traffic that came and went while nobody looked."""
    watching, length = facts.evidence.watching, facts.window_length(change)
    if watching is None:
        return None
    closed_at = facts.control(change.revision).closed_at
    if closed_at is not None and facts.now - length < closed_at <= facts.now:
        length = facts.now - closed_at  # what was before it somebody has given up
    begin = facts.now - length
    share = watching.share(begin, facts.now)
    if share >= watching.needed:
        return None
    start, stop = longest(list(watching.gaps(begin, facts.now)))
    enough_at = watching.enough_at(length, facts.now)
    return refuse(
        change,
        Phase.CONTRACT,
        Code.UNWATCHED,
        # rounded down, or 94.97 % would be said to be the 95 % that are needed
        because=f"of the last {format_duration(length)}, {int(share * 1000) / 10:g} % were observed, and"
        f" {watching.needed * 100:g} % are needed; nobody looked from {at(start)} to {at(stop)}",
        next=f"keep ec observe running; after {no_earlier_than(enough_at)}: ec migrate contract {change.revision}",
        until=enough_at,
    )


def no_session_lacks_it(change: Change, facts: Facts) -> Refusal | None:
    """Condition 5: whoever is connected ships the change, whatever the router says."""
    lacking = [
        session
        for session in facts.evidence.sessions
        if session.release is None or change.revision not in facts.router.releases[session.release].ships
    ]
    if not lacking:
        return None
    first = lacking[0]
    what = f"release {first.release}, which lacks {change.revision}" if first.release else "no release of the ledger's"
    age = f"for {format_duration(first.age)}" if first.age is not None else "for an unknown time"
    more = f"; and {len(lacking) - 1} more" if lacking[1:] else ""
    return refuse(
        change,
        Phase.CONTRACT,
        Code.SESSION,
        because=f"pid {first.pid} (role {first.role}, from {first.address or 'an unknown address'}, connected {age})"
        f" says {first.mark!r}: {what}{more}",
        next=f"end it where it comes from, or SELECT pg_terminate_backend({first.pid});"
        f" then ec migrate contract {change.revision}",
    )


def nothing_objects(change: Change, facts: Facts) -> Refusal | None:
    """Condition 5: no alert fires, and whoever was to be asked has answered."""
    objecting = [alert for alert in facts.evidence.alerts if alert.verdict is not Verdict.CLEAR]
    if not objecting:
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        Code.ALERT,
        because="; ".join(f"{alert.name} is {alert.verdict}: {alert.said}" for alert in objecting),
        next=f"once that is over: ec migrate contract {change.revision}",
    )


def no_model_declares_it(change: Change, facts: Facts) -> Refusal | None:
    """Condition 5: no release that has traffic, or could get it back, has models that declare what goes."""
    declared = facts.proofs.get(change.revision, Proof()).declared
    if not declared:
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        Code.DECLARED,
        because=_first_of(declared),
        next="take it out of the models, deploy that as a release of its own, and let this one's rollback window close;"
        f" then ec migrate contract {change.revision}",
    )


def nothing_refers_to_it(change: Change, facts: Facts) -> Refusal | None:
    """Condition 5: where the configuration asks for a proof, nothing refers to what goes, and that is known."""
    proof = facts.proofs.get(change.revision, Proof())
    others = [sign for sign in proof.signs if sign not in proof.declared]
    verdict = worst([sign.verdict for sign in others])
    if verdict is Verdict.CLEAR:
        return None
    signs = [sign for sign in others if sign.verdict is verdict]
    return refuse(
        change,
        Phase.CONTRACT,
        Code.REFERRED_TO if verdict is Verdict.SEEN else Code.UNPROVEN,
        because=f"{signs[0].means} is {verdict}: {_first_of(signs)}",
        next=f"ec prove {change.revision} shows all of it; then ec migrate contract {change.revision}",
    )


def _first_of(signs: Sequence[Sign]) -> str:
    first = f"{signs[0].about}: {signs[0].because}" if signs[0].about else signs[0].because
    return f"{first}; and {len(signs) - 1} more" if signs[1:] else first


def tombstone_has_soaked(change: Change, facts: Facts) -> Refusal | None:
    """Condition 5: where the configuration asks for it, what is dropped was out of the application's reach before."""
    drops = change.removal.drops if change.removal else ()
    if facts.soak is None or not drops:
        return None
    stands = facts.tombstones.get(change.revision)
    lacks = stands.lacks(drops) if stands else drops
    if stands is None or lacks:
        return refuse(
            change,
            Phase.CONTRACT,
            Code.NO_TOMBSTONE,
            because=f"{names([str(one) for one in lacks])} must be out of the application's reach for"
            f" {format_duration(facts.soak)} before it is dropped, and no tombstone stands",
            next=f"ec tombstone {change.revision}",
        )
    if stands.reaches:
        return refuse(
            change,
            Phase.CONTRACT,
            Code.NO_TOMBSTONE,
            because=f"the tombstone doesn't hold: {names(stands.reaches)} can still read or write what it took",
            next=f"ec tombstone {change.revision} --undo, then ec tombstone {change.revision}",
        )
    ends = stands.since + facts.soak
    if facts.now >= ends:
        return None
    return refuse(
        change,
        Phase.CONTRACT,
        Code.SOAKING,
        because=f"the tombstone has stood since {at(stands.since)}, and it must for {format_duration(facts.soak)}",
        next=f"after {no_earlier_than(ends)}: ec migrate contract {change.revision}; or, where something fails for it:"
        f" ec tombstone {change.revision} --undo",
        until=ends,
    )
