from __future__ import annotations

from expandcontract.domain.release import Release


def test_a_release_never_had_traffic_unless_somebody_recorded_it() -> None:
    built = Release("42", frozenset({"8c1f"}))

    assert built.last_traffic is None
    assert built.needs_backfill == frozenset()
