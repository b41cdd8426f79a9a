"""Which releases may still send statements made of their models."""

from __future__ import annotations

from datetime import timedelta

import pytest

from expandcontract.domain.models import may_serve
from tests.unit.domain.samples import DAY, NOW, moved, release

OLD, NEW = release("1", "8c1f"), release("2", "8c1f")
SECOND = timedelta(seconds=1)


def test_a_release_with_traffic_may_serve() -> None:
    assert may_serve(moved(OLD, NEW, NOW - 20 * DAY), "8c1f", NOW, NOW - 14 * DAY, None) == {"2": None}


@pytest.mark.parametrize(("left", "serves"), [(SECOND, True), (timedelta(0), False), (-SECOND, False)])
def test_a_release_may_come_back_until_its_window_closes(left: timedelta, serves: bool) -> None:
    router = moved(OLD, NEW, NOW - 14 * DAY + left)

    assert ("1" in may_serve(router, "8c1f", NOW, NOW - 14 * DAY, None)) is serves


def test_whom_somebody_gave_up_does_not_come_back_and_whoever_had_traffic_since_does() -> None:
    router = moved(OLD, NEW, NOW - DAY)

    assert "1" not in may_serve(router, "8c1f", NOW, NOW - 14 * DAY, NOW - DAY)
    assert "1" in may_serve(router, "8c1f", NOW, NOW - 14 * DAY, NOW - DAY - SECOND)
    assert "1" in may_serve(router, "8c1f", NOW, NOW - 14 * DAY, NOW + DAY)  # a clock that went back


def test_of_one_that_lacks_the_change_its_window_speaks() -> None:
    router = moved(release("1"), NEW, NOW - DAY)

    assert may_serve(router, "8c1f", NOW, NOW - 14 * DAY, None) == {"2": None}
