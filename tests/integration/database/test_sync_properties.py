"""Whatever order old code, new code and the backfill write in, a model of three lines says what each of them reads."""

from __future__ import annotations

import pytest
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import given, settings
from hypothesis import strategies as st

import expandcontract.alembic_bridge.operations  # noqa: F401  # registers op.create_sync
from expandcontract.backfill.kinds.update import Update
from expandcontract.backfill.ranges import RangeStatements
from expandcontract.backfill.verification import needy
from expandcontract.database.backfill_records import Stretch
from expandcontract.database.catalog import Key
from expandcontract.domain.change import Backfill, Sync

STRETCH = Stretch(1, "public", "users", Key(("id",), ("integer",)), ("4",))
IDS = st.integers(1, 4)
TEXTS = st.sampled_from([None, "", "a", "A", "Bc"])
WRITES = st.one_of(
    st.tuples(st.sampled_from(["old", "new"]), IDS, TEXTS),
    st.tuples(st.just("both"), IDS, st.tuples(TEXTS, TEXTS)),
    st.tuples(st.just("neither"), IDS, st.none()),
    st.tuples(st.just("backfill"), IDS, IDS),
)


def same(text):
    return text


def lower(text):
    return text and text.lower()


def upper(text):
    return text and text.upper()


RENAME = Sync("users", forward={"new": "old"}, backward={"old": "new"})
LOSSY = Sync("users", forward={"new": "lower(old)"}, backward={"old": "upper(new)"})
REQUIRED = Sync("users", forward={"new": "coalesce(lower(old), '')"}, backward={"old": "new"}, not_null=True)


class Model:
    """What old and new code should read of each row."""

    def __init__(self, forward, backward, required):
        self.forward, self.backward, self.required = forward, backward, required
        self.rows = {1: ("Aa", None), 2: (None, None)}
        self.new_code_wrote = False

    def write(self, side, row, value):
        """Insert the row, or update it where it is there."""
        is_there = row in self.rows
        old, new = self.rows.get(row, (None, None))
        next_old, next_new = {
            "old": (value, new),
            "new": (old, value),
            "both": value if side == "both" else None,
            "neither": (old, new),
        }[side]
        changed = (next_old != old, next_new != new)
        if changed == (False, True):
            next_old = self.backward(next_new)
        elif changed == (True, False) or (changed == (False, False) and (not is_there or self.is_missing(new))):
            next_new = self.forward(next_old)
        self.rows[row] = (next_old, next_new)
        self.new_code_wrote |= side in ("new", "both")

    def fill(self, lower, upper):
        for row, (old, new) in self.rows.items():
            if lower < row <= upper and not self.is_right(old, new):
                self.rows[row] = (old, self.forward(old))

    def is_missing(self, new):
        return self.required and new is None

    def is_right(self, old, new):
        if self.is_missing(new):
            return False
        return new == self.forward(old) or (self.new_code_wrote and old == self.backward(new))


class Server:
    """The same writes, done by the database."""

    def __init__(self, connection, sync):
        self.connection = connection
        self.backfill = Backfill(sync)

    def write(self, side, row, value):
        values = {"old": {"old": value}, "new": {"new": value}, "neither": {}}.get(side)
        values = dict(zip(("old", "new"), value, strict=True)) if side == "both" else values
        there = self.connection.execute("SELECT FROM users WHERE id = %s", [row]).rowcount
        if there:
            values = values or {"visits": 1}
            assigned = ", ".join(f"{name} = %({name})s" for name in values)
            self.connection.execute(f"UPDATE users SET {assigned} WHERE id = %(id)s", {"id": row, **values})
        else:
            values = {"id": row, **values}
            places = ", ".join(f"%({name})s" for name in values)
            self.connection.execute(f"INSERT INTO users ({', '.join(values)}) VALUES ({places})", values)

    def fill(self, lower, upper, *, new_code_wrote):
        condition = needy(self.connection, self.backfill, new_code_wrote=new_code_wrote)
        statements = RangeStatements(self.backfill, STRETCH, condition)
        with self.connection.transaction():
            self.connection.execute("SET LOCAL ec.sync = 'off'")
            return Update(self.connection, self.backfill).prepare(statements, (str(lower),), (str(upper),)).run()

    @property
    def rows(self):
        return {row: (old, new) for row, old, new in self.connection.execute("SELECT id, old, new FROM users")}


@pytest.mark.parametrize(
    ("sync", "forward", "backward"),
    [
        pytest.param(RENAME, same, same, id="rename"),
        pytest.param(LOSSY, lower, upper, id="lossy"),
        pytest.param(REQUIRED, lambda text: lower(text) or "", same, id="required"),
    ],
)
def test_old_code_new_code_and_backfill_in_any_order(each_database, sync, forward, backward):
    with each_database.connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int PRIMARY KEY, old text, new text, visits int)")
        engine = sqlalchemy.create_engine(each_database.url, poolclass=sqlalchemy.NullPool)
        with engine.begin() as owner:
            Operations(MigrationContext.configure(owner)).create_sync(sync)

        @settings(max_examples=30, derandomize=True, deadline=None, database=None)
        @given(writes=st.lists(WRITES, max_size=12))
        def holds(writes):
            model, server = Model(forward, backward, sync.not_null), Server(connection, sync)
            connection.execute("TRUNCATE users")
            with connection.transaction():
                connection.execute("SET LOCAL ec.sync = 'off'")
                connection.execute("INSERT INTO users VALUES (1, 'Aa'), (2, NULL)")
            for side, first, value in writes:
                if side == "backfill":
                    server.fill(*sorted((first, value)), new_code_wrote=model.new_code_wrote)
                    model.fill(*sorted((first, value)))
                else:
                    server.write(side, first, value)
                    model.write(side, first, value)
                assert server.rows == model.rows, (side, first, value)
            server.fill(0, 10, new_code_wrote=model.new_code_wrote)
            model.fill(0, 10)
            assert server.rows == model.rows
            assert all(model.is_right(old, new) for old, new in server.rows.values())
            assert server.fill(0, 10, new_code_wrote=model.new_code_wrote) == 0

        holds()
