"""Points 5 to 7: whole stories, told by tests; here they run at full length, and count as 1 where they hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from points.figure import Figure, Options

_ROOT = Path(__file__).parents[2]
_INTEGRATION = _ROOT / "tests" / "integration"


def standby(options: Options) -> list[Figure]:
    """Point 5: a standby made to lag is never further behind than its limit and one batch."""
    return _told(5, "a standby never lags more than its limit and a batch", "backfill/test_standby.py", {})


def kills(options: Options) -> list[Figure]:
    """Point 6: workers killed at random under writes, and the server restarted."""
    number = 50 if options.rows >= 1_000_000 else 6
    name = f"{number} kills and a dead server: every row right, and once"
    return _told(6, name, "crash/test_many_kills.py", {"EC_TEST_KILLS": str(number)})


def bad_rows(options: Options) -> list[Figure]:
    """Point 7: seven bad rows among many."""
    rows = min(options.rows, 1_000_000)
    name = f"7 bad rows of {rows:,} are set aside, no others"
    return _told(7, name, "backfill/test_seven_bad_rows.py", {"EC_TEST_ROWS": str(rows)})


def _told(point: int, name: str, test: str, variables: dict[str, str]) -> list[Figure]:
    path = _INTEGRATION / test
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", str(path)]
    ran = subprocess.run(
        command, cwd=_ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        print(ran.stdout[-4000:], file=sys.stderr)
    return [Figure(point, name, float(ran.returncode == 0), "holds", least=1)]
