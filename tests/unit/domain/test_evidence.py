"""What a contract has to know beside the ledger; everything else allows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from expandcontract.domain.evidence import Alert, Evidence, Session, Verdict
from expandcontract.domain.facts import Facts
from expandcontract.domain.gate import refusals
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal
from expandcontract.domain.sighting import Look, Sighting, sighting
from expandcontract.domain.watching import Stretch, Watching
from tests.unit.domain.samples import DAY, NOW, WINDOW, change, facts, moved, release, states

CHANGE = change()
SECOND = timedelta(seconds=1)
ALLOWED = facts(
    CHANGE, steps=states(r8c1f="expand done"), router=moved(release("1"), release("2", "8c1f"), NOW - 15 * DAY)
)


def seen(**weights: int) -> Sighting:
    said = ", ".join(f"{name}={weight}" for name, weight in weights.items()) or "nothing within 5 s"
    return sighting([Look("router", said, weights)], needed=1, known=("blue", "green"))


def with_evidence(**evidence: object) -> Facts:
    return replace(ALLOWED, evidence=Evidence(**evidence))  # type: ignore[arg-type]


def only(found: Facts) -> Refusal:
    (refusal,) = refusals(CHANGE, Phase.CONTRACT, found)
    return refusal


def test_without_witnesses_and_marks_the_ledger_alone_counts() -> None:
    assert refusals(CHANGE, Phase.CONTRACT, ALLOWED) == ()


def test_witnesses_that_agree_with_the_ledger_allow_it() -> None:
    watching = Watching((Stretch(NOW - 20 * DAY, NOW),), 0.95)

    assert refusals(CHANGE, Phase.CONTRACT, with_evidence(sighting=seen(green=1), watching=watching)) == ()


def test_an_unknown_traffic_refuses() -> None:
    no = only(with_evidence(sighting=seen()))

    assert no.code is Code.TRAFFIC_UNKNOWN
    assert "0 of 1 witnesses could be read: router says nothing within 5 s" in no.because


@pytest.mark.parametrize("weights", [{"blue": 100}, {"blue": 1, "green": 99}])
def test_another_live_colour_than_the_ledger_has_refuses(weights: dict[str, int]) -> None:
    no = only(with_evidence(sighting=seen(**weights)))

    assert no.code is Code.CUTOVER
    assert "router says blue=" in no.because
    assert no.because.endswith("; the ledger has green live")


def test_a_cutover_refuses_in_the_run_that_noticed_it() -> None:
    no = only(with_evidence(sighting=seen(green=1), just_moved=True))

    assert no.code is Code.CUTOVER
    assert "has recorded the cutover now" in no.because


def test_a_window_that_nobody_watched_enough_refuses_and_says_when_it_will_be() -> None:
    share = 0.05 * WINDOW
    just_enough = (Stretch(NOW - WINDOW, NOW - 3 * DAY), Stretch(NOW - 3 * DAY + share, NOW))
    too_little = (Stretch(NOW - WINDOW, NOW - 3 * DAY), Stretch(NOW - 3 * DAY + share + SECOND, NOW))

    assert refusals(CHANGE, Phase.CONTRACT, with_evidence(watching=Watching(just_enough, 0.95))) == ()
    no = only(with_evidence(watching=Watching(too_little, 0.95)))
    assert no.code is Code.UNWATCHED
    assert "of the last 14d, 94.9 % were observed, and 95 % are needed" in no.because
    assert "nobody looked from 2025-05-30 14:10:00 UTC" in no.because
    assert no.until == NOW - 3 * DAY + SECOND + WINDOW


def session(release: str | None, **facts: object) -> Session:
    whole: dict[str, object] = {
        "pid": 4711,
        "mark": f"colour=blue release={release}",
        "role": "app",
        "address": "10.0.0.7",
        "age": timedelta(hours=2),
    }
    return Session(release=release, **{**whole, **facts})  # type: ignore[arg-type]


def test_a_session_of_a_release_that_lacks_the_change_refuses_by_pid_address_and_age() -> None:
    no = only(with_evidence(sessions=(session("2"), session("1"), session("1", pid=4712))))

    assert no.code is Code.SESSION
    assert no.because == (
        "pid 4711 (role app, from 10.0.0.7, connected for 2h) says 'colour=blue release=1':"
        " release 1, which lacks 8c1f; and 1 more"
    )


def test_a_session_of_no_known_release_refuses_as_well() -> None:
    no = only(with_evidence(sessions=(session(None, address=None, age=None),)))

    assert "from an unknown address, connected for an unknown time" in no.because
    assert "no release of the ledger's" in no.because


def test_sessions_of_releases_that_ship_it_do_not() -> None:
    assert refusals(CHANGE, Phase.CONTRACT, with_evidence(sessions=(session("2"),))) == ()


def test_only_a_contract_asks() -> None:
    found = replace(facts(CHANGE), evidence=Evidence(sighting=seen()))

    assert refusals(CHANGE, Phase.EXPAND, found) == ()


@pytest.mark.parametrize("verdict", [Verdict.SEEN, Verdict.INCONCLUSIVE])
def test_an_alert_source_that_objects_or_cannot_be_asked_refuses(verdict: Verdict) -> None:
    quiet = Alert("deploys", Verdict.CLEAR, "nothing")
    no = only(with_evidence(alerts=(quiet, Alert("pages", verdict, "alert ErrorRate"))))

    assert (no.code, no.because) == (Code.ALERT, f"pages is {verdict}: alert ErrorRate")
    assert refusals(CHANGE, Phase.CONTRACT, with_evidence(alerts=(quiet,))) == ()
