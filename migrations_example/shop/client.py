"""
One colour of the shop at work: requests without a pause while the router gives it traffic, none when not.

    EC_DATABASE_URL=postgresql://… python client.py --release 1 --colour blue --router router.json --users 200000

The router is a file such as {"blue": 100, "green": 0}, which stands for a load balancer. Each request is a transaction
of several statements. The client keeps what the database acknowledged and checks all that it reads; at SIGTERM it ends
and reports on stdout, as JSON.
"""

import argparse
import importlib
import json
import os
import random
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

ELSEWHERE = range(10_000_001, 10_001_001)  # ids that come from another shop
HOT = 500  # the users that both colours like best


class WrongRow(Exception):
    """A row was read that can't be: an older version than before, or a name that isn't its version's."""

    sqlstate = "wrong row"


@dataclass
class Tally:
    """What one worker did. `acknowledged` has (time, id, version, name) of each write, once it is committed."""

    requests: int = 0
    failed: int = 0
    first_failure: str | None = None
    longest_wait: float = 0.0
    found: dict[str, int] = field(default_factory=dict)  # names read, by the colour that wrote them
    acknowledged: list[tuple[float, int, int, str]] = field(default_factory=list)


class Worker(threading.Thread):
    """One request after the other."""

    def __init__(self, shop, engine, options, number, stopping):
        super().__init__(name=f"{options.colour}-{number}", daemon=True)
        self.shop, self.engine, self.options, self.stopping = shop, engine, options, stopping
        self.random = random.Random(f"{options.seed}-{self.name}")
        self.tally = Tally()
        self.seen: dict[int, int] = {}  # the newest version of each row that this worker has met
        self.looked: dict[int, int] = {}  # the same within the open transaction

    def run(self):
        while not self.stopping.is_set():
            if json.loads(Path(self.options.router).read_text()).get(self.options.colour):
                self.serve()
            else:
                time.sleep(0.01)

    def serve(self):
        """One request: its transaction, how long it took, and what it was told."""
        request = self.random.choice((self.browse, self.browse, self.welcome, self.rename, self.rename, self.take_over))
        self.looked.clear()
        began = time.monotonic()
        try:
            with Session(self.engine) as session, session.begin():
                written = request(session)
        except (SQLAlchemyError, WrongRow) as error:
            self.tally.failed += 1
            cause = getattr(error, "orig", None) or error
            state = getattr(cause, "sqlstate", None) or type(cause).__name__
            self.tally.first_failure = self.tally.first_failure or f"{state}: {str(cause).splitlines()[0]}"
            time.sleep(0.05)
        else:
            now = time.monotonic()
            self.tally.acknowledged += [(now, id_, version, f"{name} v{version}") for id_, version, name in written]
            self.seen.update(self.looked)
        self.tally.requests += 1
        self.tally.longest_wait = max(self.tally.longest_wait, time.monotonic() - began)

    def browse(self, session):
        for _ in range(3):
            self.look_at(session, self.some_users(10))
        return []

    def welcome(self, session):
        names = [f"{self.name}-{self.tally.requests}.{number}" for number in range(3)]
        new = [
            (id_, version, name) for (id_, version), name in zip(self.shop.register(session, names), names, strict=True)
        ]
        self.look_at(session, [id_ for id_, _, _ in new])
        return new

    def rename(self, session):
        ids, name = self.some_users(self.random.choice((1, 1, 4))), f"{self.name}-{self.tally.requests}"
        self.look_at(session, ids)
        return self.written(session, self.shop.rename(session, ids, name), name)

    def take_over(self, session):
        ids, name = self.random.sample(ELSEWHERE, 3), f"{self.name}-{self.tally.requests}"
        return self.written(session, self.shop.register_or_rename(session, ids, name), name)

    def written(self, session, rows, name):
        self.look_at(session, [id_ for id_, _ in rows])
        return [(id_, version, name) for id_, version in rows]

    def some_users(self, most):
        upper = self.random.choice((min(HOT, self.options.users), self.options.users))
        return sorted({self.random.randint(1, upper) for _ in range(most)})

    def look_at(self, session, ids):
        """Read, and believe nothing: each name must be the one of its version, and no version goes back."""
        rows = self.shop.read(session, ids)
        if len(rows) != len(ids):
            raise WrongRow(f"{len(ids)} users were asked for, {len(rows)} came")
        for id_, version, name in rows:
            newest = self.looked.get(id_) or self.seen.get(id_, 0)
            if version < newest or not (name or "").endswith(f" v{version}"):
                raise WrongRow(
                    f"user {id_} has version {version} and the name {name!r}; version {newest} was seen before"
                )
            self.looked[id_] = version
            writer = name.partition("-")[0]
            self.tally.found[writer] = self.tally.found.get(writer, 0) + 1


def engine_for(options):
    url = os.environ["EC_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    name = f"shop {options.colour} release {options.release}"
    engine = sa.create_engine(url, pool_size=options.workers, connect_args={"application_name": name})
    connections = [engine.connect() for _ in range(options.workers)]  # a warm pool, as a deployed release has it
    for connection in connections:
        connection.close()
    return engine


def report(tallies):
    found: dict[str, int] = {}
    for tally in tallies:
        for writer, times in tally.found.items():
            found[writer] = found.get(writer, 0) + times
    return {
        "requests": sum(tally.requests for tally in tallies),
        "failed": sum(tally.failed for tally in tallies),
        "first_failure": next((tally.first_failure for tally in tallies if tally.first_failure), None),
        "longest_wait_ms": round(1000 * max(tally.longest_wait for tally in tallies), 1),
        "found": found,
        "acknowledged": [write for tally in tallies for write in tally.acknowledged],
    }


def main():
    parser = argparse.ArgumentParser(description="One colour of the shop at work.")
    parser.add_argument("--release", required=True, help="which release_N.py")
    parser.add_argument("--colour", required=True)
    parser.add_argument("--router", required=True, help="the file with each colour's weight")
    parser.add_argument("--users", type=int, required=True, help="how many users there are: ids from 1 up to this")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", default="1")
    options = parser.parse_args()

    parent, stopping = os.getppid(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    shop, engine = importlib.import_module(f"release_{options.release}"), engine_for(options)
    workers = [Worker(shop, engine, options, number, stopping) for number in range(options.workers)]
    for worker in workers:
        worker.start()
    while not stopping.wait(0.2):
        if os.getppid() != parent:  # whoever started us is gone, and nobody waits for the report
            stopping.set()
    for worker in workers:
        worker.join()
    json.dump(report([worker.tally for worker in workers]), sys.stdout)


if __name__ == "__main__":
    main()
