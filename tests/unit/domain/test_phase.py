from __future__ import annotations

from expandcontract.domain.phase import Phase


def test_the_phases_run_in_the_order_in_which_they_are_listed() -> None:
    assert [str(phase) for phase in Phase] == ["expand", "backfill", "contract"]
