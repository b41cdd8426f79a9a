from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from expandcontract.domain.blocker import Blocker, may_be_cancelled

REPORT = Blocker(17, 90.0, "app", "a slow report", "active", "SELECT", None, "client backend")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("blocker", "may"),
    [
        (REPORT, True),
        (replace(REPORT, state="idle in transaction"), True),
        (replace(REPORT, age=60.0), False),
        (replace(REPORT, age=None), False),
        (replace(REPORT, application_name="ec:build-7:4711"), False),
        (replace(REPORT, kind="autovacuum worker"), False),
        (replace(REPORT, kind="walsender"), False),
        (replace(REPORT, kind=None), False),  # hidden from us, so we don't know
        (replace(REPORT, place="replica reports"), False),  # its pid is somebody else's here
        (replace(REPORT, pid=0, gid="a transfer", kind=None), False),
    ],
)
def test_only_a_client_with_an_old_transaction_may_be_cancelled(blocker: Blocker, may: bool) -> None:
    assert may_be_cancelled([blocker], MINUTE) == ((blocker,) if may else ())
