"""One backfill by a process of its own: ``python client.py DSN REVISION`` prints its seconds and its memory."""

from __future__ import annotations

import json
import resource
import sys
import time

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
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump({"seconds": seconds, "megabytes": megabytes}, sys.stdout)


if __name__ == "__main__":
    main()
