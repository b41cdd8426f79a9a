from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.duration import format_duration, parse_duration, until_time_of_day


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("14d", timedelta(days=14)),
        ("2w", timedelta(weeks=2)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("250ms", timedelta(milliseconds=250)),
        ("1m1ms", timedelta(minutes=1, milliseconds=1)),
        ("0s", timedelta()),
        ("007d", timedelta(days=7)),
        ("3650d", timedelta(days=3650)),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str, length: timedelta) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "7",
        "d",
        "-1d",
        "+1d",
        "1e9d",
        "1.5d",
        "1,5d",
        "1d-2h",
        "1d 2h",
        " 1d",
        "1d\n",
        "1D",
        "1y",
        "1d2",
        "1days",
        "fourteen days",
        "٣d",
        "P14D",
        "1234567890s",
    ],
)
def test_what_is_not_a_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration; write for example 30s") as refused:
        parse_duration(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize("text", ["3651d", "3650d1ms", "522w", "999999999d", "999999999w", "999999999w999999999w"])
def test_a_duration_of_more_than_ten_years_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than ten years"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(milliseconds=250), "250ms"),
        (timedelta(milliseconds=999.6), "1s"),
        (timedelta(seconds=1.2), "1s200ms"),
        (timedelta(seconds=59.999), "59s999ms"),
        (timedelta(seconds=59.9996), "1m"),
        (timedelta(seconds=200), "3m20s"),
        (timedelta(hours=36), "1d12h"),
        (timedelta(days=14), "14d"),
        (timedelta(days=1, seconds=5), "1d5s"),
        (timedelta(days=2, hours=3, minutes=4, seconds=5), "2d3h4m5s"),
    ],
)
def test_a_length_is_written_in_whole_units(length: timedelta, text: str) -> None:
    assert format_duration(length) == text


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        length = parse_duration(text)
    except ValueError:
        return
    assert timedelta() <= length <= timedelta(days=3650)


@given(st.integers(0, 3650 * 86_400_000))
def test_a_written_length_reads_back(milliseconds: int) -> None:
    length = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize(
    ("now", "text", "length"),
    [
        ("2026-11-21 05:00:30", "06:00", "59m30s"),
        ("2026-11-21 06:00:00", "06:00", "1d"),
        ("2026-11-21 22:00:00", "6:00", "8h"),
        ("2026-10-24 22:00:00", "06:00", "9h"),  # summer time ends that night
        ("2026-03-28 22:00:00", "06:00", "7h"),  # and begins in this one
    ],
)
def test_until_the_clock_shows_a_time_of_day(now: str, text: str, length: str) -> None:
    local = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Europe/Berlin"))

    assert until_time_of_day(text, local) == parse_duration(length)


@pytest.mark.parametrize("text", ["", "6", "24:00", "06:60", "06:00:00", " 06:00"])
def test_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        until_time_of_day(text, datetime(2026, 11, 21, tzinfo=UTC))
