"""One backfill by a process of its own: ``python client.py DSN REVISION`` prints its seconds and its memory."""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import psycopg

from expandcontract.backfill.engine import Engine
from expandcontract.backfill.session import Settings
from expandcontract.backfill.work import Work
from expandcontract.domain.change import Backfill


def main() -> None:
    """Flat out, by one worker."""
    dsn, revision = sys.argv[1:]
    backfill = Backfill("people", set={"display_name": "name"}, where="display_name IS NULL")
    work = Work(revision, backfill, False, Settings(None), lambda executor: None)
    engine = Engine(
        lambda name: psycopg.connect(dsn, autocommit=True, application_name=name),
        work,
        on_progress=lambda progress: None,
        stop=lambda: False,
    )
    began = time.perf_counter()
    ended = engine.run()
    seconds = time.perf_counter() - began
    if ended.outcome != "complete":
        raise SystemExit(str(ended))
    json.dump({"seconds": seconds, "megabytes": _peak_megabytes()}, sys.stdout)


def _peak_megabytes() -> float:
    """Of this program alone: getrusage's ru_maxrss begins with what the process had that started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
