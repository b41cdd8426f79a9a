"""Whoever looks for contracts that should not have run finds them, without asking the gate of `ec`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.closed_gates import Happened, closed_gates, objections
from tests.fixtures.project import AlembicProject

WINDOW = timedelta(hours=1)
SHIPS = {"1": {"0001"}, "2": {"0001", "0002"}}
LINES = (
    ("expand done", {}),
    ("deploy", {"colour": "blue", "release": "1"}),
    ("traffic", {"weights": {"blue": 100}}),
    ("deploy", {"colour": "green", "release": "2"}),
    ("backfill done", {}),
    ("traffic", {"weights": {"green": 100, "blue": 0}}),
    ("contract part done", {"part": "first"}),
    ("contract done", {"part": "second"}),
)


def history(*left_out: int, minutes: int = 61) -> list[Happened]:
    """The lines without some, the contract so many minutes after everything else."""
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return [
        Happened(now + timedelta(minutes=minutes if kind.startswith("contract") else 0), kind, "0002", facts)
        for number, (kind, facts) in enumerate(LINES)
        if number not in left_out
    ]


def test_a_contract_in_order_meets_no_objection() -> None:
    assert objections(history(), SHIPS, {"0002"}, WINDOW) == []


@pytest.mark.parametrize(
    ("left_out", "minutes", "words"),
    [
        (0, 61, "its expand was not done"),
        (4, 61, "its backfill was not done"),
        (5, 61, "release 1 was live and lacks it"),
        (6, 59, "release 1 had traffic until"),
    ],
)
def test_each_condition_is_missed(left_out: int, minutes: int, words: str) -> None:
    found = objections(history(left_out, minutes=minutes), SHIPS, {"0002"}, WINDOW)

    assert found
    assert all(words in one for one in found)


def test_traffic_that_came_back_counts_anew() -> None:
    lines = history()
    back = [Happened(lines[6].at - timedelta(minutes=minute), *LINES[at][:1], "0002", LINES[at][1])
            for minute, at in ((20, 2), (10, 5))]  # fmt: skip

    (objection, _) = objections([*lines[:6], *back, *lines[6:]], SHIPS, {"0002"}, WINDOW)

    assert "release 1 had traffic until 00:51" in objection


def test_the_history_of_a_real_contract_is_read(switched: AlembicProject) -> None:
    file = switched.versions / "0002.py"
    file.write_text(file.read_text().replace('"14d"', '"0s"'))
    switched.ok("amend", "0002", "--reason", "nobody goes back")
    switched.ok("migrate", "contract")

    assert closed_gates(switched.dsn, timedelta(0)) == []
    assert closed_gates(switched.dsn, timedelta(days=1)) != []


def test_a_window_that_was_closed_early_is_closed(switched: AlembicProject) -> None:
    switched.ok("window", "0002", "--close", "--reason", "nobody goes back")
    switched.ok("migrate", "contract")

    assert closed_gates(switched.dsn, timedelta(days=14)) == []
