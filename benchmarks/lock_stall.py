"""
How long the application waits behind `ec`, when somebody's long transaction keeps it from the lock that it needs.

For each kind of statement that the recipes write and each `lock_timeout`: a transaction that has read and written stays
open, `ec migrate expand` goes up its ladder until its budget is spent, and clients without think time note their
longest wait. That is held against the `lock_timeout`; the goal is that no wait is longer by more than a tenth. The
control is the longest wait of the same clients right before, without `ec`: what it has, the machine is to blame for.
For the same reason a round that misses the goal is measured again.

VALIDATE CONSTRAINT, COMMENT and CREATE INDEX CONCURRENTLY aren't among them: nobody who reads or writes waits for them.

    python benchmarks/lock_stall.py [--json] [--rounds 3] [--timeouts 50,200,1000] [--only "add column"]

It starts a scratch server of its own, wants a quiet machine, and exits 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psycopg

from expandcontract.errors import ExitCode
from expandcontract.proof.scratch_server import ScratchServer

GOAL = 1.1  # of lock_timeout
CLIENTS = 2
ROWS = 1000
CONTROL_SECONDS = 2.0

TABLES = """
CREATE TABLE owners (id bigint PRIMARY KEY, name text);
CREATE TABLE items (
    id bigint PRIMARY KEY, name text, note text DEFAULT '', code text NOT NULL, owner_id bigint, visits int DEFAULT 0,
    CONSTRAINT named CHECK (name IS NOT NULL)
);
CREATE UNIQUE INDEX items_code ON items (code);
CREATE INDEX items_note ON items (note);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER old_sync BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION nothing();
INSERT INTO owners SELECT i, 'owner ' || i FROM generate_series(0, 10) i;
INSERT INTO items SELECT i, 'item ' || i, '', 'c' || i, i % 10 FROM generate_series(0, {rows}) i;
"""
IN_THE_WAY = (
    "SELECT count(*) FROM items",
    "SELECT count(*) FROM owners",
    "UPDATE items SET visits = 0 WHERE id = 0",
    "UPDATE owners SET name = '' WHERE id = 0",
)
KINDS = {
    "add column": "ALTER TABLE items ADD COLUMN more text",
    "drop column": "ALTER TABLE items DROP COLUMN note",
    "set default": "ALTER TABLE items ALTER COLUMN name SET DEFAULT 'x'",
    "set not null": "ALTER TABLE items ALTER COLUMN name SET NOT NULL",
    "drop not null": "ALTER TABLE items ALTER COLUMN code DROP NOT NULL",
    "add check not valid": "ALTER TABLE items ADD CONSTRAINT short CHECK (name <> '') NOT VALID",
    "drop constraint": "ALTER TABLE items DROP CONSTRAINT named",
    "add foreign key not valid": "ALTER TABLE items ADD FOREIGN KEY (owner_id) REFERENCES owners NOT VALID",
    "unique by an index": "ALTER TABLE items ADD CONSTRAINT coded UNIQUE USING INDEX items_code",
    "create trigger": "CREATE TRIGGER new_sync BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION nothing()",
    "drop trigger": "DROP TRIGGER old_sync ON items",
    "drop index": "DROP INDEX items_note",
    "rename table": "ALTER TABLE items RENAME TO things",
    "drop table": "DROP TABLE items",
}
REQUESTS = (
    "SELECT * FROM items WHERE id = %s",
    "UPDATE items SET visits = visits + 1 WHERE id = %s",
    "SELECT items.name FROM items JOIN owners ON owners.id = owner_id WHERE items.id = %s",
)

_INI = "[alembic]\nscript_location = migrations\npath_separator = os\n"
_ENV = """
import os
import sqlalchemy as sa
from alembic import context

url = os.environ["EC_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
_REVISION = """
from alembic import op

revision = "{revision}"
down_revision = {after!r}


def upgrade():
    op.execute({statement!r})


def downgrade():
    pass
"""


@dataclass(frozen=True)
class Stall:
    """The longest wait of any request, in ms: without `ec`, and while it went for its lock."""

    kind: str
    lock_timeout: int
    control: float
    longest: float

    @property
    def ratio(self) -> float:
        """Of `lock_timeout`."""
        return self.longest / self.lock_timeout


def main() -> None:
    """Measure, and print a table or, with ``--json``, one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timeouts", default="50,200,1000", help="in ms (default: %(default)s)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="at most, where one misses the goal (default: %(default)s)"
    )
    parser.add_argument("--only", choices=KINDS, help="one kind of statement")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    kinds = [arguments.only] if arguments.only else list(KINDS)
    timeouts = [int(text) for text in arguments.timeouts.split(",")]
    with ScratchServer() as server, tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), server.dsn())
        stalls = [_least(project, kind, timeout, arguments.rounds) for timeout in timeouts for kind in kinds]
    if arguments.json:
        document = [{**asdict(stall), "ratio": stall.ratio} for stall in stalls]
        print(json.dumps({"server": ".".join(map(str, server.version)), "goal": GOAL, "stalls": document}))
    else:
        _print(stalls)
    sys.exit(any(stall.ratio > GOAL for stall in stalls))


def _least(project: Project, kind: str, lock_timeout: int, rounds: int) -> Stall:
    """The shortest stall of as many rounds as it takes to meet the goal: what `ec` causes is there in each of them."""
    stalls = [project.measure(kind, lock_timeout)]
    while len(stalls) < rounds and min(stall.ratio for stall in stalls) > GOAL:
        stalls.append(project.measure(kind, lock_timeout))
    return min(stalls, key=lambda stall: stall.ratio)


def _print(stalls: list[Stall]) -> None:
    print(f"{'':28}lock_timeout   longest wait           (without ec)")
    for one in stalls:
        missed = "  MISSED" if one.ratio > GOAL else ""
        waits = f"{one.longest:9.0f} ms  {one.ratio:5.2f}  {one.control:9.0f} ms"
        print(f"{one.kind:28}{one.lock_timeout:9} ms {waits}{missed}")


class Project:
    """An Alembic project with one change, which is another one each time and never gets its lock."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self._folder, self._dsn = folder, dsn
        (folder / "migrations" / "versions").mkdir(parents=True)
        (folder / "alembic.ini").write_text(_INI)
        (folder / "migrations" / "env.py").write_text(_ENV)
        self._write("0001", None, TABLES.format(rows=ROWS))
        self._ec(ExitCode.DONE, "migrate", "expand")

    def measure(self, kind: str, lock_timeout: int) -> Stall:
        """The stall that this kind of statement causes."""
        self._check_that_it_runs(KINDS[kind])
        self._write("0002", "0001", KINDS[kind])
        with clients(self._dsn) as waits:
            time.sleep(CONTROL_SECONDS)
        control = max(waits)
        with psycopg.connect(self._dsn) as somebody, clients(self._dsn) as waits:
            for statement in IN_THE_WAY:
                somebody.execute(statement.encode())
            # to the top of the ladder at least, whatever the pauses between its rungs
            budget = f"{3000 + 4 * lock_timeout}ms"
            options = ("--lock-timeout", f"{lock_timeout}ms", "--lock-budget", budget)
            self._ec(ExitCode.TRY_LATER, "migrate", "expand", *options)
            somebody.rollback()
        return Stall(kind, lock_timeout, 1000 * control, 1000 * max(waits))

    def _check_that_it_runs(self, statement: str) -> None:
        with psycopg.connect(self._dsn) as connection:
            connection.execute(statement.encode())
            connection.rollback()

    def _write(self, revision: str, after: str | None, statement: str) -> None:
        text = _REVISION.format(revision=revision, after=after, statement=statement)
        (self._folder / "migrations" / "versions" / f"{revision}.py").write_text(text)

    def _ec(self, expected: ExitCode, *arguments: str) -> None:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("EC_", "PG", "ALEMBIC"))}
        ran = subprocess.run(
            [sys.executable, "-m", "expandcontract", *arguments],
            cwd=self._folder,
            env={**ours, "EC_DATABASE_URL": self._dsn, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode != expected:
            raise SystemExit(f"ec {' '.join(arguments)} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")


@contextmanager
def clients(dsn: str) -> Iterator[list[float]]:
    """Clients that make one request after the other while the block lasts; then the list has how long each took."""
    stopping, waits = threading.Event(), list[float]()

    def work(number: int) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            row = number
            while not stopping.is_set():
                row = row % (ROWS - CLIENTS) + CLIENTS
                for request in REQUESTS:
                    began = time.monotonic()
                    connection.execute(request.encode(), [row], prepare=False)
                    waits.append(time.monotonic() - began)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, CLIENTS + 1)]
    for thread in threads:
        thread.start()
    try:
        yield waits
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
