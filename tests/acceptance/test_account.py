"""The judge of the demo and of the load tests finds each wrong row: lost, outdated, misnamed or in nobody's books."""

from __future__ import annotations

import pytest

from expandcontract.commands.demo_account import Acknowledged, Model, Report, Snapshot, seed_name

WRITES = [
    Acknowledged(at=1.0, id=2, version=2, name="blue-0 v2"),
    Acknowledged(at=2.0, id=2, version=3, name="green-0 v3"),
    Acknowledged(at=2.0, id=7, version=1, name="green-1 v1"),
]
RIGHT = {1: (1, (seed_name(1),) * 2), 2: (2, ("blue-0 v2",) * 2)}


def wrong_rows(changes: dict[int, tuple[int, tuple[str | None, ...]] | None], at: float = 1.5) -> int:
    """How many rows of `RIGHT` with these changes (None: no such row) a model of two users finds wrong."""
    model = Model(2, [Report(0, 0, None, 0.0, {}, WRITES)])
    rows = [(id_, *row) for id_, row in {**RIGHT, **changes}.items() if row is not None]
    return model.wrong_rows(Snapshot(at, rows))


def test_what_was_acknowledged_is_right() -> None:
    assert wrong_rows({}) == 0


def test_a_write_may_be_seen_before_it_is_acknowledged() -> None:
    assert wrong_rows({2: (3, ("green-0 v3",) * 2), 7: (1, ("green-1 v1",) * 2)}) == 0


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        pytest.param({1: None}, 1.5, id="a seed is lost"),
        pytest.param({2: None}, 1.5, id="a written row is lost"),
        pytest.param({2: (1, (seed_name(2),) * 2)}, 1.5, id="an acknowledged write is lost"),
        pytest.param({2: (3, ("green-0 v3",) * 2)}, 2.5, id="an acknowledged insert is lost"),
        pytest.param({2: (2, ("blue-0 v2", seed_name(2)))}, 1.5, id="the columns differ"),
        pytest.param({2: (2, ("blue-0 v2", None))}, 1.5, id="the new column is empty"),
        pytest.param({2: (2, (seed_name(2),) * 2)}, 1.5, id="the name of another version"),
        pytest.param({9: (1, ("who v1",) * 2)}, 1.5, id="a row that nobody wrote"),
        pytest.param({2: (9, ("who v9",) * 2)}, 1.5, id="a version that nobody wrote"),
    ],
)
def test_a_wrong_row_is_counted(changes, at: float) -> None:
    assert wrong_rows(changes, at) == 1
