"""
Whole lives of changes, one after the other for a given time, under load and with faults at random; then the account.

    python -m tests.soak --minutes 10 [--seed 7]

Each life is one of the recipes', with its old and new release writing all the time without a pause, an auditor that
looks at every row, and somebody who reads in transactions that stay open. Most commands are killed, cut off or have
their sessions ended a few times before they are left in peace. No request may fail and no row may be wrong, and in the
end the catalogue is that of the new models, or after an undo that of before. A life that went wrong is told with its
seed, which `--seed` repeats.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.fixtures.lifecycle import begun_life, live, live_and_undo
from tests.fixtures.project import empty_project
from tests.fixtures.servers import Server, fresh_database, main_source
from tests.fixtures.wire import wire_to
from tests.lifecycles.recipes import CHANGES
from tests.soak.disturbed import DisturbedProject, somebody_in_the_way


@dataclass
class Account:
    """What there was, and what went wrong."""

    lives: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    failed_requests: int = 0
    lives_gone_wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        wrong = len(self.lives_gone_wrong)
        faults = ", ".join(f"{number} × {what}" for what, number in sorted(self.faults.items())) or "none"
        which = f": {', '.join(self.lives_gone_wrong)}" if wrong else ""
        return (
            f"{self.lives.total()} lives of {len(self.lives)} changes, {wrong} of them went wrong{which}\n"
            f"{self.requests} requests, {self.failed_requests} failed\n"
            f"faults met by commands: {faults}"
        )


def main() -> None:
    """Go on until the time is over; exit 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of the first life; the next ones count on from it")
    arguments = parser.parse_args()
    source = main_source()
    if source is None:
        sys.exit("no PostgreSQL server found; see CONTRIBUTING.md")
    seed = arguments.seed or random.SystemRandom().randrange(1, 10**6)
    deadline, account = time.monotonic() + 60 * arguments.minutes, Account()
    print(f"on {source.title}, for {arguments.minutes:g} min, from seed {seed}")
    with source.serve() as server:
        while time.monotonic() < deadline:
            _live(server, seed, account)
            seed += 1
    print(account)
    sys.exit(bool(account.lives_gone_wrong or account.failed_requests))


def _live(server: Server, seed: int, account: Account) -> None:
    """One life, drawn by the seed."""
    luck = random.Random(seed)
    name, way = luck.choice(list(CHANGES)), luck.choice((live, live, live_and_undo))
    change = CHANGES[name]
    account.lives[name] += 1
    began, met = time.monotonic(), Counter[str]()
    with tempfile.TemporaryDirectory() as folder, fresh_database(server) as database, wire_to(database.dsn) as wire:
        projects = (empty_project(Path(folder, release), wire.dsn) for release in ("release_1", "release_2"))
        old, new = (DisturbedProject(**vars(project), wire=wire, luck=luck, met=met) for project in projects)
        try:
            with begun_life(change, old, new, database) as life:
                try:
                    with somebody_in_the_way(database.dsn, change.old.table, luck):
                        way(life)
                finally:
                    account.requests += life.met.requests
                    account.failed_requests += len(life.met.failures)
        except Exception:
            account.lives_gone_wrong.append(f"seed {seed}")
            traceback.print_exc()
    account.faults += met  # which leaves out what wasn't met at all
    told = ", ".join(f"{number} × {what}" for what, number in sorted((+met).items())) or "no fault"
    print(f"seed {seed}: {name}, {way.__name__}: {time.monotonic() - began:.0f} s, {told}", flush=True)


if __name__ == "__main__":
    main()
