"""A source that flaps, falls silent and comes back: what was seen of it decides, and gaps count against a contract."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from expandcontract.domain.evidence import Evidence
from expandcontract.domain.gate import refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.sighting import Look, sighting
from expandcontract.domain.watching import Stretch, Watching, continues
from tests.unit.domain.samples import NOW, change, facts, moved, release, states

LENGTH = timedelta(hours=10)
GAP = timedelta(minutes=10)
NEEDED = 0.95
CHANGE = change(window=LENGTH)
ANSWERS: list[dict[str, int]] = [{"green": 100}, {"blue": 100}, {"blue": 50, "green": 50}, {}, {"purple": 100}]

# mostly a quiet router that is looked at every nine minutes, for other histories never come to a contract
looks = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 15), st.just({"green": 100})),
        st.tuples(st.sampled_from([5, 5, 5, 11, 40]), st.sampled_from(ANSWERS)),
        st.integers(30, 80).map(lambda times: (times, None)),  # so many quiet looks
    ),
    max_size=12,
)


def history(drawn: list[tuple[int, dict[str, int] | None]]) -> list[tuple[datetime, dict[str, int]]]:
    """The looks with their times, the first a quarter of an hour after green got its traffic."""
    at, found = NOW + timedelta(minutes=15), []
    for number, weights in drawn:
        for minutes in [number] if weights is not None else [9] * number:
            at += timedelta(minutes=minutes)
            found.append((at, weights if weights is not None else {"green": 100}))
    return found


@settings(max_examples=50)
@given(looks)
def test_an_allowed_contract_saw_nothing_but_green_for_a_whole_window_and_looked_at_almost_all_of_it(
    drawn: list[tuple[int, dict[str, int] | None]],
) -> None:
    router = moved(release("1"), release("2", "8c1f"), NOW)
    stretches: list[Stretch] = []
    seen_blue = [NOW]
    looked: list[datetime] = []
    for at, weights in history(drawn):
        seen = sighting([Look("router", "x", weights)], needed=1, known=router.colours)
        last = stretches[-1] if stretches else None
        if last is not None and continues(last, at, is_known=bool(seen.live), gap=GAP):
            stretches[-1] = replace(last, ended=at)
        else:
            stretches.append(Stretch(at, at, bool(seen.live)))
        is_new = bool(seen.live) and seen.live != {colour.name for colour in router.live}
        if seen.live:
            router = router.shift(seen.weights, at)
            looked.append(at)
        if "blue" in seen.live:
            seen_blue.append(at)
        watching = Watching(tuple(one for one in stretches if one.is_known), NEEDED)
        found = replace(
            facts(CHANGE, steps=states(r8c1f="expand done"), router=router, now=at),
            evidence=Evidence(seen, just_moved=is_new, watching=watching),
        )

        if not refusals(CHANGE, Phase.CONTRACT, found):
            assert set(seen.live) == {"green"}
            assert at - max(seen_blue) >= LENGTH
            within = [moment for moment in looked if moment >= at - LENGTH]
            blind = sum(
                (b - a for a, b in zip([at - LENGTH, *within], within, strict=False) if b - a > GAP), timedelta(0)
            )
            assert blind <= (1 - NEEDED) * LENGTH + timedelta(microseconds=10)


def test_a_quiet_history_does_come_to_a_contract() -> None:
    """Or the property above would hold because nothing is ever allowed."""
    router = moved(release("1"), release("2", "8c1f"), NOW)
    seen = sighting([Look("router", "x", {"green": 100})], needed=1, known=router.colours)
    at = NOW + LENGTH
    watching = Watching((Stretch(NOW, at),), NEEDED)
    found = facts(CHANGE, steps=states(r8c1f="expand done"), router=router, now=at)

    assert refusals(CHANGE, Phase.CONTRACT, replace(found, evidence=Evidence(seen, watching=watching))) == ()
