"""When samples of pg_stat_statements tell of every call, and when they don't."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from expandcontract.domain.statements import Counted, Sample, Series, Statement, broken_by, called_since, uncovered
from tests.unit.domain.samples import DAY, NOW

GAP = timedelta(minutes=10)
MINUTE = timedelta(minutes=1)
OLD = Statement(Counted("app_blue", 7, True), "SELECT name FROM users", 3)
NEW = Statement(Counted("app_green", 8, True), "SELECT display_name FROM users", 90)
ENTRIES = {one.counted: one for one in (OLD, NEW)}
SERIES = Series("primary", NOW - 20 * DAY, NOW - MINUTE, None, NOW - 30 * DAY, 4, ENTRIES)
SAMPLE = Sample("primary", NOW, None, NOW - 30 * DAY, 4, ENTRIES)


def called(one: Statement, calls: int) -> dict[Counted, Statement]:
    return {**ENTRIES, one.counted: replace(one, calls=calls)}


def test_a_sample_that_only_counts_on_continues_its_series() -> None:
    assert broken_by(SERIES, replace(SAMPLE, entries=called(NEW, 91)), GAP) is None
    assert uncovered(SERIES, SAMPLE, NOW - 14 * DAY, GAP) is None


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (replace(SAMPLE, trouble="track is none", entries={}), "track is none"),
        (replace(SAMPLE, at=NOW - MINUTE + GAP + timedelta(seconds=1)), "nobody took a sample for 10m1s"),
        (replace(SAMPLE, at=NOW - 2 * MINUTE), "clock went back"),
        (replace(SAMPLE, reset_at=NOW), "was reset"),
        (replace(SAMPLE, evicted=5), "dealloc went from 4 to 5"),
        (replace(SAMPLE, entries={NEW.counted: NEW}), "an entry of role app_blue vanished"),
        (replace(SAMPLE, entries=called(OLD, 2)), "an entry of role app_blue was counted anew"),
    ],
)
def test_a_sample_before_which_calls_may_be_lost_breaks_it(sample: Sample, words: str) -> None:
    assert words in (broken_by(SERIES, sample, GAP) or "")
    assert words in (uncovered(SERIES, sample, NOW - 14 * DAY, GAP) or "")


def test_the_longest_gap_still_counts() -> None:
    assert broken_by(SERIES, replace(SAMPLE, at=SERIES.ended_at + GAP), GAP) is None


def test_a_series_must_be_as_old_as_the_window() -> None:
    young = replace(SERIES, began_at=NOW - 14 * DAY + timedelta(seconds=1), because="it was reset")

    assert "whole only since" in (uncovered(young, SAMPLE, NOW - 14 * DAY, GAP) or "")
    assert "(it was reset)" in (uncovered(young, SAMPLE, NOW - 14 * DAY, GAP) or "")
    assert uncovered(young, SAMPLE, young.began_at, GAP) is None
    assert "no sample was ever taken" in (uncovered(None, SAMPLE, NOW, GAP) or "")


def test_what_grew_since_counts_in_the_ledger_and_in_a_look_just_now() -> None:
    begin = NOW - 14 * DAY
    known = replace(SERIES, entries={OLD.counted: replace(OLD, grew_at=NOW - DAY), NEW.counted: NEW})

    assert called_since(SERIES, SAMPLE, begin) == []
    assert [one.counted.role for one in called_since(known, SAMPLE, begin)] == ["app_blue"]
    assert called_since(known, SAMPLE, NOW - DAY) == []
    (now,) = called_since(SERIES, replace(SAMPLE, entries=called(OLD, 4)), begin)
    assert (now.counted.role, now.calls, now.grew_at) == ("app_blue", 4, NOW)


def test_a_first_sample_tells_of_no_call_since_a_moment() -> None:
    assert called_since(None, SAMPLE, NOW - DAY) == []
