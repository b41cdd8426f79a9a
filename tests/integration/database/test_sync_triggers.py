"""The triggers of a Sync on a real server: whoever writes, and however, both shapes are current."""

from __future__ import annotations

import contextlib

import psycopg
import pytest
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.operations import Operations
from psycopg import sql

import expandcontract.alembic_bridge.operations  # noqa: F401  # registers op.create_sync
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.expressions import assignments, qualified, unfilled
from expandcontract.database.sync_catalog import sync_columns, types
from expandcontract.domain.change import Backfill, Sync
from expandcontract.errors import UsageError

RENAME = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"})
SPLIT = Sync(
    "users",
    forward={"first": "split_part(users.full_name, ' ', 1)", "last": "split_part(full_name, ' ', 2)"},
    backward={"full_name": "concat_ws(' ', first, users.last)"},
)
# what forward makes of a name can't be made back, and the other way round
LOSSY = Sync("users", forward={"display_name": "lower(name)"}, backward={"name": "upper(display_name)"})


class Table:
    """A table with a Sync, as its writers see it: each statement in a transaction of its own."""

    def __init__(self, connection, sync, create=None):
        self.connection = connection
        self.sync = sync
        if create:
            connection.execute(create)

    def install(self, database):
        create_sync(database, self.sync)
        return self

    def run(self, statement, *parameters):
        return self.connection.execute(statement, parameters or None)

    def rows(self, columns="*", table=None):
        name = qualified(table or self.sync.table, self.sync.schema)
        return self.connection.execute(
            sql.SQL("SELECT {} FROM {} ORDER BY 1").format(sql.SQL(columns), name)
        ).fetchall()

    def fill(self, *, new_code_wrote=False):
        """What a backfill does; how many rows it wrote."""
        facts = sync_columns(PsycopgExecutor(self.connection), self.sync.table, self.sync.schema)
        condition = unfilled(Backfill(self.sync), new_code_wrote=new_code_wrote, types=types(facts))
        with self.connection.transaction():
            self.connection.execute("SET LOCAL ec.sync = 'off'")
            update = sql.SQL("UPDATE {} SET {} WHERE {}").format(
                qualified(self.sync.table, self.sync.schema), assignments(self.sync.forward), condition
            )
            return self.connection.execute(update).rowcount


@contextlib.contextmanager
def operations(database, search_path=None):
    """Alembic's ``op`` in a transaction of the user's engine."""
    engine = sqlalchemy.create_engine(database.url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as connection:
        if search_path is not None:
            connection.exec_driver_sql(f"SET search_path = {search_path}")
        yield Operations(MigrationContext.configure(connection))


def create_sync(database, sync, search_path=None):
    with operations(database, search_path) as op:
        op.create_sync(sync)


def drop_sync(database, sync, search_path=None):
    with operations(database, search_path) as op:
        op.drop_sync(sync)


@pytest.fixture
def connection(each_database):
    with each_database.connect(autocommit=True) as connection:
        yield connection


@pytest.fixture
def table(each_database, connection):
    """Makes a table with its Sync."""

    def make(sync, create):
        return Table(connection, sync, create).install(each_database)

    return make


USERS = "CREATE TABLE users (id int PRIMARY KEY, name text, display_name text, visits int NOT NULL DEFAULT 0)"
PEOPLE = "CREATE TABLE users (id int PRIMARY KEY, full_name text, first text, last text)"


def test_each_way_of_writing_one_side_is_seen_on_the_other(table):
    users = table(RENAME, USERS)

    users.run("INSERT INTO users (id, name) VALUES (1, 'old'), (2, NULL), (3, 'three')")
    users.run("INSERT INTO users (id, display_name) VALUES (11, 'new'), (12, NULL)")
    assert users.rows("id, name, display_name") == [
        *((1, "old", "old"), (2, None, None), (3, "three", "three")),
        *((11, "new", "new"), (12, None, None)),
    ]

    users.run("UPDATE users SET name = name || '!' WHERE id IN (1, 3)")
    users.run("UPDATE users SET display_name = 'NEW' WHERE id IN (2, 11)")
    users.run("UPDATE users SET name = NULL WHERE id = 3")
    users.run("UPDATE users SET display_name = NULL WHERE id = 11")
    users.run("UPDATE users SET visits = visits + 1")
    assert users.rows("id, name, display_name") == [
        *((1, "old!", "old!"), (2, "NEW", "NEW"), (3, None, None)),
        *((11, None, None), (12, None, None)),
    ]


def test_a_writer_of_both_sides_is_left_alone(table):
    users = table(RENAME, USERS)

    users.run("INSERT INTO users (id, name, display_name) VALUES (1, 'a', 'b')")
    assert users.rows("name, display_name") == [("a", "b")]
    users.run("UPDATE users SET name = 'c', display_name = 'd'")
    assert users.rows("name, display_name") == [("c", "d")]
    # naming a column without changing it is no write: an ORM may send the whole row
    users.run("UPDATE users SET name = 'e', display_name = 'd'")
    assert users.rows("name, display_name") == [("e", "e")]


def test_upsert_copy_and_statements_over_several_tables(table):
    users = table(RENAME, USERS)
    users.run("INSERT INTO users (id, name) VALUES (1, 'one'), (2, 'two'), (3, 'three')")

    upsert = "INSERT INTO users (id, {0}) VALUES (1, 'by {0}') ON CONFLICT (id) DO UPDATE SET {0} = EXCLUDED.{0}"
    for column in ("name", "display_name"):
        users.run(upsert.format(column))
        assert users.rows("id, name, display_name")[0] == (1, f"by {column}", f"by {column}")
    for column, first in (("name", 10), ("display_name", 20)):
        with users.connection.cursor().copy(f"COPY users (id, {column}) FROM STDIN") as copy:
            copy.write_row((first, "copied"))
            copy.write_row((first + 1, None))
        users.run(f"INSERT INTO users (id, {column}) SELECT id + {first + 2}, {column} FROM users WHERE id = 2")
        users.run(
            f"UPDATE users SET {column} = v.v FROM (VALUES (3, 'from {column}')) AS v (id, v) WHERE v.id = users.id"
        )
        assert users.rows("id, name, display_name")[2] == (3, f"from {column}", f"from {column}")
        users.run(
            f"MERGE INTO users USING (VALUES (2, 'merged {column}'), ({first + 5}, 'merged {column}')) AS v (id, v)"
            f" ON v.id = users.id WHEN MATCHED THEN UPDATE SET {column} = v.v"
            f" WHEN NOT MATCHED THEN INSERT (id, {column}) VALUES (v.id, v.v)"
        )
    assert len(users.rows()) == 3 + 2 * 4
    assert users.run("SELECT count(*) FROM users WHERE name IS DISTINCT FROM display_name").fetchone() == (0,)


def test_the_backfill_and_whoever_says_so_pass_by(table):
    users = table(RENAME, USERS)
    users.run("INSERT INTO users (id, name) VALUES (1, 'one')")

    with users.connection.transaction():
        users.run("SET LOCAL ec.sync = 'off'")
        users.run("UPDATE users SET display_name = 'other'")
        users.run("INSERT INTO users (id, name) VALUES (2, 'two')")
    assert users.rows("name, display_name") == [("one", "other"), ("two", None)]

    users.run("UPDATE users SET display_name = 'back on' WHERE id = 2")
    assert users.rows("name, display_name") == [("back on", "back on"), ("one", "other")]
    assert users.fill() == 1


def test_split_and_merge(table):
    users = table(SPLIT, PEOPLE)

    users.run("INSERT INTO users (id, full_name) VALUES (1, 'Ada Lovelace')")
    users.run("INSERT INTO users (id, first, last) VALUES (2, 'Alan', 'Turing')")
    users.run("INSERT INTO users (id, first) VALUES (3, 'Plato')")
    users.run("UPDATE users SET last = 'King' WHERE id = 1")
    users.run("UPDATE users SET full_name = 'Alan Kay' WHERE id = 2")
    assert users.rows("id, full_name, first, last") == [
        (1, "Ada King", "Ada", "King"),
        (2, "Alan Kay", "Alan", "Kay"),
        (3, "Plato", "Plato", None),
    ]


def test_forward_only_follows_what_forward_reads(table):
    sync = Sync("users", forward={"display_name": "name || ' ' || suffix"}, reads=("name", "suffix", "visits"))
    users = table(sync, "CREATE TABLE users (id int, name text, suffix text, visits int DEFAULT 0, display_name text)")

    users.run("INSERT INTO users (id, name, suffix) VALUES (1, 'Ada', 'I')")
    users.run("UPDATE users SET suffix = 'II'")
    assert users.rows("display_name") == [("Ada II",)]
    users.run("UPDATE users SET display_name = 'mine'")
    assert users.rows("name, display_name") == [("Ada", "mine")]
    users.run("UPDATE users SET visits = 5")  # declared, but forward doesn't read it: new code's write stays
    assert users.rows("display_name") == [("mine",)]
    users.run("UPDATE users SET name = 'Bea', display_name = 'both'")
    assert users.rows("name, display_name") == [("Bea", "both")]


def test_a_column_that_both_sides_read_is_no_write_to_the_old_side(table):
    sync = Sync(
        "users",
        forward={"display_name": "title || ' ' || name"},
        backward={"name": "substr(display_name, length(title) + 2)"},
        reads=("title",),
    )
    users = table(sync, "CREATE TABLE users (id int, title text, name text, display_name text)")

    users.run("INSERT INTO users (id, title, name) VALUES (1, 'Ms', 'Ada')")
    users.run("UPDATE users SET title = 'Dr', display_name = 'Dr Eve'")  # new code
    assert users.rows("name, display_name") == [("Eve", "Dr Eve")]
    users.run("UPDATE users SET title = 'Prof', name = 'Zoe'")  # old code
    assert users.rows("name, display_name") == [("Zoe", "Prof Zoe")]
    users.run("UPDATE users SET title = 'Sir'")  # either
    assert users.rows("name, display_name") == [("Zoe", "Sir Zoe")]


def test_defaults_tell_who_inserts(table):
    users = table(RENAME, "CREATE TABLE users (id int, name text DEFAULT 'x', display_name text DEFAULT 'x')")
    users.run("INSERT INTO users (id) VALUES (1)")
    users.run("INSERT INTO users (id, name) VALUES (2, 'old')")
    users.run("INSERT INTO users (id, display_name) VALUES (3, 'new')")
    users.run("INSERT INTO users (id, name) VALUES (4, NULL)")
    users.run("INSERT INTO users (id, display_name) VALUES (5, NULL)")
    assert users.rows("id, name, display_name") == [
        *((1, "x", "x"), (2, "old", "old"), (3, "new", "new"), (4, None, None), (5, None, None)),
    ]


@pytest.mark.parametrize(
    ("type_", "default", "value"),
    [
        ("timestamptz", "now()", "'2001-02-03'"),
        ("date", "now()", "'2001-02-03'"),  # the default is rounded on its way into the column
        ("numeric(10,2)", "1.2345", "7"),
        ("varchar(20)", "current_user", "'somebody'"),
        ("json", """'{"a": 1}'""", "'[]'"),
        ("point", "'(1,2)'", "'(3,4)'"),
        ("amount", "4", "7"),  # a domain with a default of its own
    ],
)
def test_a_default_on_one_side_only(table, connection, type_, default, value):
    connection.execute("CREATE DOMAIN amount AS int DEFAULT 4")
    given = "" if type_ == "amount" else f"DEFAULT {default}"
    bare = "int" if type_ == "amount" else type_
    new_side = table(RENAME, f"CREATE TABLE users (id int, name {bare}, display_name {type_} {given})")
    old_side = table(
        Sync("orders", forward={"display_name": "name"}, backward={"name": "display_name"}),
        f"CREATE TABLE orders (id int, name {type_} {given}, display_name {bare})",
    )
    for name in ("users", "orders"):
        connection.execute(f"INSERT INTO {name} (id) VALUES (1)")
        connection.execute(f"INSERT INTO {name} (id, name) VALUES (2, {value})")
        connection.execute(f"INSERT INTO {name} (id, display_name) VALUES (3, {value})")
    for side in (new_side, old_side):
        rows = side.rows(f"id, name::text = display_name::text, name::text = {value}::{type_}::text")
        assert rows == [(1, True, False), (2, True, True), (3, True, True)]


def test_an_insert_of_neither_side_is_new_codes_where_old_codes_would_fail(table):
    sync = Sync("users", forward={"display_name": "name"}, backward={"name": "coalesce(display_name, '?')"})
    users = table(sync, "CREATE TABLE users (id int, name text NOT NULL, display_name text)")

    users.run("INSERT INTO users (id) VALUES (1)")
    users.run("INSERT INTO users (id, display_name) VALUES (2, NULL)")
    users.run("INSERT INTO users (id, name) VALUES (3, 'old')")
    assert users.rows("id, name, display_name") == [(1, "?", None), (2, "?", None), (3, "old", "old")]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("name text DEFAULT gen_random_uuid()::text, display_name text", "name: it has a volatile default"),
        ("name text, display_name text DEFAULT clock_timestamp()", "display_name: it has a volatile default"),
        ("name bigserial, display_name bigint", "name: it has a volatile default"),
        ("name text, display_name text DEFAULT 1 <%> 1", "display_name: it has a volatile default"),
        ("name int, display_name int GENERATED ALWAYS AS IDENTITY", "display_name: it is an identity column"),
        ("name text, display_name text GENERATED ALWAYS AS ('x') STORED", "display_name: it is generated"),
        ("name text", "users.display_name, which doesn't exist"),
    ],
)
def test_what_no_trigger_can_tell_is_refused(each_database, connection, columns, words):
    connection.execute(
        "CREATE FUNCTION \"a b\"(int, int) RETURNS text LANGUAGE sql AS 'SELECT random()::text';"
        'CREATE OPERATOR <%> (LEFTARG = int, RIGHTARG = int, FUNCTION = "a b");'
        f"CREATE TABLE users (id int, {columns})"
    )

    with pytest.raises(UsageError, match=words):
        create_sync(each_database, RENAME)


def test_a_generated_column_cannot_be_read_and_another_one_beside_is_no_matter(each_database, table):
    sync = Sync("users", forward={"display_name": "loud"}, reads=("loud",))
    columns = "id int, name text, display_name text, loud text GENERATED ALWAYS AS (upper(name)) STORED"
    users = table(RENAME, f"CREATE TABLE users ({columns})")

    with pytest.raises(UsageError, match="loud: it is generated"):
        create_sync(each_database, sync)
    users.run("INSERT INTO users (id, display_name) VALUES (1, 'ada')")
    assert users.rows("name, loud") == [("ada", "ADA")]


@pytest.mark.parametrize(
    ("type_", "one", "other"),
    [
        ("json", """'{"a":1}'""", """'{"a": 1}'"""),
        ("jsonb", "'[1]'", "'[1.0]'"),
        ("xml", "'<a/>'", "'<b/>'"),
        ("point", "'(1,2)'", "'(1,3)'"),
        ("text[]", "'{a,b}'", "'{a,NULL}'"),
        ("numeric", "1.0", "1.00"),
        ("double precision", "0.0", "'-0'"),
        ("interval", "'24 hours'", "'1 day'"),
        ("timestamptz", "'2001-01-01 00:00Z'", "'2001-01-02 00:00Z'"),
        ("mood", "'happy'", "'sad'"),
        ("tag", "'a'", "'b'"),
        ('text COLLATE "C"', "'a'", "'A'"),
        ("text COLLATE nocase", "'a'", "'A'"),
        ("address", "'(a,1)'", "'(a,2)'"),
        ("bytea", "'\\x00'", "'\\x01'"),
        ("int4range", "'[1,3)'", "'[1,4)'"),
        ('"char"', "'a'", "'b'"),
        ("char(3)", "'a'", "'b'"),
        ("boolean", "true", "false"),
        ("uuid", "'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"),
    ],
)
def test_every_type_follows_every_change(table, connection, type_, one, other):
    connection.execute(
        "CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE DOMAIN tag AS text CHECK (VALUE <> '');"
        "CREATE TYPE address AS (street text, number int)"
    )
    try:
        if "nocase" in type_:
            connection.execute(
                "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
            )
        connection.execute(f"SELECT CAST({one} AS {type_.split(' COLLATE')[0]})")
    except psycopg.errors.FeatureNotSupported as error:
        pytest.skip(str(error))  # a server built without ICU or XML
    users = table(RENAME, f"CREATE TABLE users (id int, name {type_}, display_name {type_})")

    def shown():
        return users.rows("id, name::text, display_name::text")

    def text(value):
        return connection.execute(f"SELECT CAST({value} AS {type_.split(' COLLATE')[0]})::text").fetchone()[0]

    users.run(f"INSERT INTO users (id, name) VALUES (1, {one})")
    users.run(f"INSERT INTO users (id, display_name) VALUES (2, {one})")
    assert shown() == [(1, text(one), text(one)), (2, text(one), text(one))]
    users.run(f"UPDATE users SET name = {other} WHERE id = 1")
    users.run(f"UPDATE users SET display_name = {other} WHERE id = 2")
    assert shown() == [(1, text(other), text(other)), (2, text(other), text(other))]
    assert users.fill() == 0
    users.run("SET ec.sync = 'off'")
    users.run("UPDATE users SET display_name = NULL")
    assert users.fill() == 2
    assert users.fill(new_code_wrote=True) == 0
    assert shown() == [(1, text(other), text(other)), (2, text(other), text(other))]


def test_the_stored_value_is_what_makes_a_row_right(table):
    sync = Sync(
        "users",
        forward={"price": "cents / 300.0", "day": "moment", "small": "cents / 7.0"},
        reads=("cents", "moment"),
    )
    users = table(
        sync, "CREATE TABLE users (id int, cents int, moment timestamp, price numeric(10,2), day date, small real)"
    )

    users.run("INSERT INTO users (id, cents, moment) VALUES (1, 1000, '2001-02-03 04:05')")
    assert users.fill() == 0
    users.run("SET ec.sync = 'off'")
    users.run("UPDATE users SET price = NULL")
    assert users.fill() == 1
    assert users.fill() == 0


def test_json_becomes_jsonb_and_goes_back(table):
    sync = Sync("users", forward={"doc": "data::jsonb"}, backward={"data": "doc::json"})
    users = table(sync, "CREATE TABLE users (id int, data json, doc jsonb)")

    users.run("""INSERT INTO users (id, data) VALUES (1, '{"b":1, "a":2}')""")
    users.run("""INSERT INTO users (id, doc) VALUES (2, '{"c": 3}')""")
    users.run("""UPDATE users SET doc = doc || '{"d": 4}' WHERE id = 1""")
    assert users.rows("id, data::text, doc::text") == [
        (1, '{"a": 2, "b": 1, "d": 4}', '{"a": 2, "b": 1, "d": 4}'),
        (2, '{"c": 3}', '{"c": 3}'),
    ]
    assert users.fill() == users.fill(new_code_wrote=True) == 0


def test_not_null_is_kept_in_rows_that_the_backfill_has_not_reached(each_database, connection):
    sync = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"}, not_null=True)
    users = Table(connection, sync, USERS)
    users.run("INSERT INTO users (id, name) SELECT i, 'n' || i FROM generate_series(1, 4) i")
    users.install(each_database)
    users.run("ALTER TABLE users ADD CONSTRAINT named CHECK (display_name IS NOT NULL) NOT VALID")

    users.run("UPDATE users SET visits = 1 WHERE id = 1")
    users.run("UPDATE users SET name = 'old' WHERE id = 2")
    users.run("UPDATE users SET display_name = 'new' WHERE id = 3")
    assert users.rows("id, name, display_name") == [
        *((1, "n1", "n1"), (2, "old", "old"), (3, "new", "new"), (4, "n4", None)),
    ]
    with pytest.raises(psycopg.errors.CheckViolation):
        users.run("UPDATE users SET display_name = NULL WHERE id = 3")
    assert users.fill(new_code_wrote=True) == 1


def test_not_null_fills_what_new_code_leaves_of_a_row_that_the_backfill_has_not_reached(each_database, connection):
    sync = Sync("users", forward=SPLIT.forward, backward=SPLIT.backward, not_null=True)
    users = Table(connection, sync, PEOPLE)
    users.run("INSERT INTO users VALUES (1, 'Ada Lovelace'), (2, 'Alan Turing')")
    users.install(each_database)
    users.run("ALTER TABLE users ADD CHECK (first IS NOT NULL AND last IS NOT NULL) NOT VALID")

    users.run("UPDATE users SET first = 'Eve' WHERE id = 1")
    users.run("UPDATE users SET full_name = 'Alan Kay', first = 'Alan', last = 'Kay' WHERE id = 2")
    assert users.rows("full_name, first, last") == [("Alan Kay", "Alan", "Kay"), ("Eve Lovelace", "Eve", "Lovelace")]
    with pytest.raises(psycopg.errors.CheckViolation):
        users.run("UPDATE users SET last = NULL WHERE id = 1")


def test_a_lossy_sync_never_undoes_what_its_writer_wrote(table):
    users = table(LOSSY, USERS)

    users.run("INSERT INTO users (id, name) VALUES (1, 'Ada')")
    users.run("INSERT INTO users (id, display_name) VALUES (2, 'Bob')")
    assert users.rows("name, display_name") == [("Ada", "ada"), ("BOB", "Bob")]
    users.run("UPDATE users SET name = 'aDA' WHERE id = 1")  # forward gives the same again
    users.run("UPDATE users SET display_name = 'bOB' WHERE id = 2")
    assert users.rows("name, display_name") == [("BOB", "bOB"), ("aDA", "ada")]
    assert users.fill(new_code_wrote=True) == 0
    assert users.fill(new_code_wrote=False) == 1  # nobody but old code can have written this: new must be forward(old)


def test_what_the_tables_own_triggers_change_counts(table):
    users = table(RENAME, USERS)
    users.run(
        "CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.name := trim(NEW.name); IF NEW.visits = 7 THEN NEW.name := 'seven'; END IF; RETURN NEW; END $$"
    )
    users.run("CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION tidy()")

    users.run("INSERT INTO users (id, name) VALUES (1, ' Ada ')")
    assert users.rows("name, display_name") == [("Ada", "Ada")]
    users.run("UPDATE users SET name = ' Eve '")
    assert users.rows("name, display_name") == [("Eve", "Eve")]
    users.run("UPDATE users SET visits = 7")
    assert users.rows("name, display_name") == [("seven", "seven")]


def test_partitioned_tables_and_rows_that_move(table):
    users = table(
        RENAME,
        "CREATE TABLE users (id int, area int, name text, display_name text) PARTITION BY LIST (area);"
        "CREATE TABLE users_1 PARTITION OF users FOR VALUES IN (1);"
        "CREATE TABLE users_2 PARTITION OF users FOR VALUES IN (2)",
    )
    users.run("CREATE TABLE users_3 PARTITION OF users FOR VALUES IN (3)")

    users.run("INSERT INTO users (id, area, name) VALUES (1, 1, 'old')")
    users.run("INSERT INTO users_3 (id, area, display_name) VALUES (3, 3, 'new')")
    users.run("UPDATE users SET area = 2, name = 'moved' WHERE id = 1")
    users.run("UPDATE users SET area = 2, display_name = 'moved too' WHERE id = 3")
    assert users.rows("id, area, name, display_name") == [(1, 2, "moved", "moved"), (3, 2, "moved too", "moved too")]


HOSTILE = [
    "order",
    'quo"te',
    "per%cent %s %%",
    ":colon",
    "naïve ÖÄ 名",
    "two  blanks",
    "CamelCase",
    "x" * 63,
    "{braces}",
    "semi;--colon",
    "tick'",
    "back\\slash",
    "$ec_sync$",
    "new",
    "old",
    "tg_op",
    "user",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("computed", [False, True], ids=["bare", "computed"])
def test_any_name_will_do(database, name, computed):
    def quoted(text):
        return sql.Identifier(text).as_string(None)

    other = f"{name[:59]}_too" if name != "new" else "old"
    forward, backward = (f"{quoted(name)} || '%:$ec_sync$'" if computed else quoted(name)), quoted(other)
    if computed:
        backward = f"left({quoted(name)}.{quoted(other)}, -11)"
    sync = Sync(name, forward={other: forward}, backward={name: backward})
    with database.connect(autocommit=True) as connection:
        create = f"CREATE TABLE {quoted(name)} (id int, {quoted(name)} text, {quoted(other)} text)"
        users = Table(connection, sync, create.encode()).install(database)
        connection.execute(f"INSERT INTO {quoted(name)} (id, {quoted(name)}) VALUES (1, 'a')".encode())
        connection.execute(f"INSERT INTO {quoted(name)} (id, {quoted(other)}) VALUES (2, 'b%:$ec_sync$')".encode())
        connection.execute(f"UPDATE {quoted(name)} SET {quoted(name)} = 'c' WHERE id = 1".encode())
        end = "%:$ec_sync$" if computed else ""
        b = "b" if computed else "b%:$ec_sync$"
        assert users.rows() == [(1, "c", f"c{end}"), (2, b, "b%:$ec_sync$")]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("name || ' 100% :name %s %(x)s'", "ada 100% :name %s %(x)s"),
        ("name || '''quoted'' \"too\"'", "ada'quoted' \"too\""),
        ("name || $$ dollars $$ || $ec_sync$ ours $ec_sync$", "ada dollars  ours "),
        ("name -- a comment", "ada"),
        ("/* a comment */ name", "ada"),
        ("E'a\\tb' || '\t' || name", "a\tb\tada"),
        ("CASE WHEN users.name = 'ada' THEN 'it is' ELSE '{}' END", "it is"),
        ("(SELECT greeting || users.name FROM greetings WHERE lang = 'en' LIMIT 1)", "hello ada"),
        ("(SELECT name FROM greetings LIMIT 1)", "the greeting's own"),
        ("shout(name)", "ADA!"),
        ("name <+> name", "ADA!"),
        ("(name::shouted)::text", "ada"),
        ("NAME", "ada"),
        ('"name"', "ada"),
    ],
)
def test_any_expression_under_any_search_path(each_database, connection, expression, value):
    connection.execute(
        "CREATE SCHEMA app; SET search_path = app;"
        "CREATE TABLE greetings (lang text, greeting text, name text);"
        "INSERT INTO greetings VALUES ('en', 'hello ', 'the greeting''s own');"
        "CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql AS $$ SELECT upper($1) || '!' $$;"
        "CREATE FUNCTION plus(text, text) RETURNS text LANGUAGE sql AS $$ SELECT upper($1) || '!' $$;"
        "CREATE OPERATOR <+> (LEFTARG = text, RIGHTARG = text, FUNCTION = plus);"
        "CREATE DOMAIN shouted AS text;"
        "CREATE TABLE users (id int, name text, display_name text)"
    )
    sync = Sync("users", forward={"display_name": expression}, backward={"name": "display_name"})
    create_sync(each_database, sync, search_path="app, public")

    for number, path in enumerate(("app", "public", "''", "pg_catalog")):
        with each_database.connect(autocommit=True) as writer:
            writer.execute(f"SET search_path = {path}")
            writer.execute("INSERT INTO app.users (id, name) VALUES (%s, 'ada')", [number])
            writer.execute("UPDATE app.users SET name = 'x' WHERE id = %s", [number])
            writer.execute("UPDATE app.users SET name = 'ada' WHERE id = %s", [number])
            assert writer.execute("SELECT display_name FROM app.users WHERE id = %s", [number]).fetchone() == (value,)
    drop_sync(each_database, sync, search_path="app")
    assert connection.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'ec_sync%'").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM pg_trigger").fetchone() == (0,)
    assert connection.execute("SELECT count(*) FROM pg_views WHERE viewname LIKE 'ec_sync%'").fetchone() == (0,)


def test_two_syncs_on_one_table(each_database, connection):
    users = Table(
        connection, RENAME, "CREATE TABLE users (id int, name text, display_name text, mail text, email text)"
    )
    other = Sync("users", forward={"email": "lower(mail)"}, backward={"mail": "email"})
    users.install(each_database)
    create_sync(each_database, other)

    users.run("INSERT INTO users (id, name, email) VALUES (1, 'ada', 'A@b')")
    users.run("INSERT INTO users (id, display_name, mail) VALUES (2, 'eve', 'E@F')")
    users.run("UPDATE users SET display_name = 'Ada', mail = 'X@Y' WHERE id = 1")
    assert users.rows() == [(1, "Ada", "Ada", "X@Y", "x@y"), (2, "eve", "eve", "E@F", "e@f")]
    drop_sync(each_database, RENAME)
    users.run("UPDATE users SET name = 'z', email = 'z' WHERE id = 1")
    assert users.rows()[0] == (1, "z", "Ada", "z", "z")


def test_a_concurrent_write_is_seen_as_it_is_after_the_wait(table, each_database):
    users = table(RENAME, USERS)
    users.run("INSERT INTO users (id, name) VALUES (1, 'first')")

    with each_database.connect() as new_code, each_database.connect(autocommit=True) as old_code:
        new_code.execute("UPDATE users SET display_name = 'new' WHERE id = 1")
        old_code.execute("SET lock_timeout = '10s'")
        with psycopg.connect(each_database.dsn, autocommit=True) as watcher, old_code.pipeline():
            old_code.execute("UPDATE users SET visits = visits + 1, name = 'old' WHERE id = 1")
            while not watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()[0]:
                pass
            new_code.commit()
    assert users.rows("name, display_name, visits") == [("old", "old", 1)]
