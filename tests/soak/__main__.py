"""
Whole lives of changes, one after the other for a given time, under load and with faults at random; then the account.

    python -m tests.soak --minutes 10 [--seed 7]

Each life is one of the recipes', with its old and new release writing all the time without a pause, an auditor that
looks at every row, and somebody who reads in transactions that stay open. Most commands are struck a few times before
they are left in peace: killed, frozen, cut off, told to stop, their sessions ended, the server crashed. Traffic goes
there and back; some lives are undone, some take what they drop out of reach first. No request may fail and no row may
be wrong, older than acknowledged or gone; no contract may have run early; in the end the catalogue is that of the new
models, or after an undo that of before. A life that went wrong is told with its seed, which `--seed` repeats.
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
from datetime import timedelta
from pathlib import Path

from expandcontract.domain.duration import format_duration
from tests.crash.site import made_site
from tests.fixtures.closed_gates import closed_gates
from tests.fixtures.lifecycle import Life, begun_life, live, live_and_undo
from tests.fixtures.project import empty_project
from tests.fixtures.release_clients import Met
from tests.lifecycles.recipes import CHANGES
from tests.soak.disturbed import DisturbedProject, somebody_in_the_way

WINDOW = timedelta(seconds=2)
CLIENTS = 3  # of a life, with its auditor: each loses its connection when the server crashes


@dataclass
class Account:
    """What there was, and what went wrong."""

    lives: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    rows: int = 0
    longest_wait: float = 0.0
    longest_gap: float = 0.0
    outages: int = 0
    lives_gone_wrong: list[str] = field(default_factory=list)

    def add(self, met: Met) -> None:
        """What the clients of a life met."""
        self.failures += Counter(map(_kind, met.failures))
        self.requests += met.requests
        self.rows += met.rows
        self.outages += met.outages
        self.longest_wait = max(self.longest_wait, met.longest_wait)
        self.longest_gap = max(self.longest_gap, met.longest_gap)

    def __str__(self) -> str:
        wrong = len(self.lives_gone_wrong)
        which = f": {', '.join(self.lives_gone_wrong)}" if wrong else ""
        return (
            f"{self.lives.total()} lives of {len(self.lives)} changes, {wrong} of them went wrong{which}\n"
            f"{self.requests} requests, {self.failures.total()} failed ({_listed(self.failures)});"
            f" rows were checked {self.rows} times\n"
            f"longest wait of a request {1000 * self.longest_wait:.0f} ms,"
            f" longest gap between writes {1000 * self.longest_gap:.0f} ms,"
            f" without the {self.outages} connections that went with a server\n"
            f"commands were struck: {_listed(self.struck)}"
        )


def _kind(failure: str) -> str:
    """The SQLSTATE, or the kind of the error."""
    return failure.split(": ")[1] if failure.count(": ") > 1 else "lost row"


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{number} × {what}" for what, number in sorted(counted.items()) if number) or "none"


def by_a_tombstone(life: Life) -> None:
    """Out of reach, given back, and out of reach again, where the contract has something to drop."""
    life.old.execute(f"GRANT SELECT ON {life.change.old.table} TO PUBLIC")
    asked = life.new.ec("tombstone", life.revision, "--dry-run")
    if asked.code == 0:
        for options in ((), ("--undo",), ()):
            life.new.ok("tombstone", life.revision, *options)


def live_by_a_tombstone(life: Life) -> None:
    """As `live`, by way of a tombstone."""
    live(life, by_a_tombstone)


WAYS = (live, live_by_a_tombstone, live_and_undo)


def main() -> None:
    """Go on until the time is over; exit 1 where anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of the first life; the next ones count on from it")
    arguments = parser.parse_args()
    seed = arguments.seed or random.SystemRandom().randrange(1, 10**6)
    deadline, account = time.monotonic() + 60 * arguments.minutes, Account()
    print(f"for {arguments.minutes:g} min, from seed {seed}")
    while time.monotonic() < deadline:
        _live(seed, account)
        seed += 1
    print(account)
    sys.exit(bool(account.lives_gone_wrong or account.failures.total()))


def _live(seed: int, account: Account) -> None:
    """One life, drawn by the seed."""
    luck = random.Random(seed)
    name, way = luck.choice(list(CHANGES)), luck.choice(WAYS)
    change = CHANGES[name]
    account.lives[name] += 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, made_site() as site:
        projects = (empty_project(Path(folder, release), site.wire.dsn) for release in ("release_1", "release_2"))
        old, new = (DisturbedProject(**vars(project), site=site, luck=luck) for project in projects)
        try:
            with begun_life(change, old, new, site.database) as life:
                life.outages = lambda: CLIENTS * site.struck["restart"]
                for project in (old, new):
                    project.variables["EC_CONTRACT_AFTER"] = format_duration(WINDOW)
                    project.variables["EC_MAINTENANCE_ROLES"] = "app, postgres"  # both releases connect as the owner
                try:
                    with somebody_in_the_way(site.database.dsn, change.old.table, luck):
                        way(life)
                finally:
                    account.add(life.met)
                early = closed_gates(site.database.dsn, WINDOW)
                assert not early, early
        except Exception:
            account.lives_gone_wrong.append(f"seed {seed}")
            traceback.print_exc()
        account.struck += Counter(site.struck)
        struck = _listed(Counter(site.struck))
    print(f"seed {seed}: {name}, {way.__name__}: {time.monotonic() - began:.0f} s, {struck}", flush=True)


if __name__ == "__main__":
    main()
