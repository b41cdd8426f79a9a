from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.quantity import (
    BYTES,
    BYTES_PER_SECOND,
    NUMBER,
    PERCENT,
    SECONDS,
    Unit,
    format_size,
    parse_limits,
    parse_size,
    said_against,
)
from expandcontract.domain.throttle import Limits


@pytest.mark.parametrize(
    ("text", "unit", "limits"),
    [
        ("slow 64MB, stop 256MB", BYTES, Limits(64 * 1024**2, 256 * 1024**2)),
        ("stop 1.5 GB", BYTES, Limits(stop=1.5 * 1024**3)),
        ("slow 50MB/s", BYTES_PER_SECOND, Limits(slow=50 * 1024**2)),
        ("stop 1m30s,slow 250ms", SECONDS, Limits(0.25, 90)),
        ("slow 20%, stop 50%", PERCENT, Limits(0.2, 0.5)),
        ("slow 1, stop 5", NUMBER, Limits(1, 5)),
        ("slow 0.5", NUMBER, Limits(0.5)),
    ],
)
def test_limits_as_people_write_them(text: str, unit: Unit, limits: Limits) -> None:
    assert parse_limits(text, unit) == limits


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("64MB", BYTES, "are no limits"),
        ("", NUMBER, "are no limits"),
        ("slow 1, slow 2", NUMBER, "are no limits"),
        ("slow 64", BYTES, "is not a size"),
        ("slow 64mb", BYTES, "is not a size"),
        ("slow -1", NUMBER, "is not a number"),
        ("slow 20", PERCENT, "is not a percentage"),
        ("slow 5", SECONDS, "is not a duration"),
        ("slow 5, stop 1", NUMBER, "stops before it slows down"),
    ],
)
def test_what_means_nothing_is_refused(text: str, unit: Unit, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_limits(text, unit)


@given(st.integers(0, 2**60))
def test_a_size_for_people_is_about_the_size(size: int) -> None:
    assert parse_size(format_size(size)) == pytest.approx(size, rel=0.01, abs=0.5)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1024, "1 kB"), (612 * 1024**2, "612 MB"), (1536 * 1024**2, "1.5 GB")],
)
def test_sizes(size: int, text: str) -> None:
    assert format_size(size) == text


def test_a_value_is_said_with_its_limits() -> None:
    assert said_against(7, Limits(1, 5), NUMBER) == "7 (slow from 1, stop from 5)"
    assert said_against(0.25, Limits(stop=0.2), PERCENT) == "25% (stop from 20%)"
    assert said_against(1234567, Limits(slow=1e9), NUMBER) == "1,234,567 (slow from 1,000,000,000)"
