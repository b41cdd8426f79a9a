"""A backfill visits every row once, whatever its key, and leaves alone what new code has written."""

from tests.fixtures.project import CREATE_USERS, until

BACKFILL = """
from expandcontract import Backfill, Sync

sync = Sync({table!r}, forward={{"filled": "source * 2"}}, backward={{"source": "filled / 2"}})

def upgrade():
    op.add_column({table!r}, sa.Column("filled", sa.BigInteger))
    op.create_sync(sync)

def downgrade():
    op.drop_sync(sync)
    op.drop_column({table!r}, "filled")

backfill = Backfill(sync)
"""
EMPTY = "def upgrade(): pass\ndef downgrade(): pass\n"

# how the table is made, and how its rows come in; each has a column `source`
KEYS = {
    "single": ("id bigint PRIMARY KEY, source int", "SELECT i, i FROM generate_series(1, 3000) i"),
    "sparse": (
        "id bigint PRIMARY KEY, source int",
        "SELECT (i - 1500)::bigint * 1000003 + (CASE WHEN i > 1500 THEN 4000000000000000 ELSE 0 END), i"
        " FROM generate_series(1, 3000) i",
    ),
    "composite": (
        "tenant int, name text, source int, PRIMARY KEY (tenant, name)",
        "SELECT i % 7, 'row ' || i, i FROM generate_series(1, 3000) i",
    ),
    "uuid": ("id uuid PRIMARY KEY, source int", "SELECT gen_random_uuid(), i FROM generate_series(1, 3000) i"),
    "text": (
        'id text COLLATE "C" PRIMARY KEY, source int',
        "SELECT chr(65 + i % 60) || repeat(chr(228), i % 3) || '''\"' || i, i FROM generate_series(1, 3000) i",
    ),
    "timestamps": (
        "at timestamptz, number numeric, source int, PRIMARY KEY (at, number)",
        "SELECT '2024-03-31 00:00+00'::timestamptz + i * interval '90 s', i / 7.0, i FROM generate_series(1, 3000) i",
    ),
    "always identity": (
        "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source int",
        "SELECT i, i FROM generate_series(1, 3000) i",
    ),
    "unique index": (
        "id int, code text NOT NULL UNIQUE, source int",
        "SELECT i % 10, 'code ' || i, i FROM generate_series(1, 3000) i",
    ),
    "one row": ("id int PRIMARY KEY, source int", "SELECT 1, 1"),
    "no row": ("id int PRIMARY KEY, source int", "SELECT 1, 1 WHERE false"),
}


def test_every_row_is_filled_once_whatever_the_key(each_database, make_project):
    project = make_project(each_database)
    project.revision("0001", EMPTY)
    project.ok("migrate", "expand")
    after = "0001"
    for number, (name, (columns, rows)) in enumerate(KEYS.items(), 2):
        table = name.replace(" ", "_")
        project.execute(f"CREATE TABLE {table} ({columns})", f"INSERT INTO {table} OVERRIDING SYSTEM VALUE {rows}")
        revision = f"{number:04}"
        project.revision(revision, BACKFILL.format(table=table), after=after, title=name)
        after = revision
    project.ok("migrate", "expand")
    count = {name: project.value(f"SELECT count(*) FROM {name.replace(' ', '_')}") for name in KEYS}

    done = project.json("backfill", "--rate", "max")

    assert len(done["filled"]) == len(KEYS)
    for name, one in zip(KEYS, done["filled"], strict=True):
        table = name.replace(" ", "_")
        assert (one["rows"], one["rows_written"], one["passes"]) == (count[name], count[name], 1), name
        assert project.value(f"SELECT count(*) FROM {table} WHERE filled IS DISTINCT FROM source * 2") == 0, name
    assert project.json("backfill")["outcome"] == "nothing"


def test_ranges_have_no_gap_and_no_overlap_and_their_sums_are_the_rows(project):
    project.revision("0001", EMPTY)
    project.execute(
        "CREATE TABLE t (id int PRIMARY KEY, source int)", "INSERT INTO t SELECT i, i FROM generate_series(1, 5000) i"
    )
    project.revision("0002", BACKFILL.format(table="t"), after="0001")
    project.ok("migrate", "expand")
    running = project.start("backfill", "--rate", "2500")
    until(lambda: project.rows("SELECT FROM ec.backfill_range") or not running.is_running)
    running.kill()
    until(lambda: not project.runners())

    (done,) = project.json("backfill", "--rate", "max")["filled"]

    ranges = project.rows(
        "SELECT lower_key[1]::int, upper_key[1]::int, rows_seen, rows_written FROM ec.backfill_range"
        " WHERE pass = 1 ORDER BY 2"
    )
    uppers = [upper for _, upper, *_ in ranges]
    assert [lower for lower, *_ in ranges] == [None, *uppers[:-1]]
    assert uppers[-1] == 5000
    for (lower, upper), (_, _, seen, written) in zip(zip([0, *uppers[:-1]], uppers, strict=True), ranges, strict=True):
        assert seen == written == upper - lower
    assert (done["rows"], done["rows_written"]) == (5000, 5000)


def test_what_new_code_wrote_before_and_after_is_not_overwritten_by_a_lossy_forward(project):
    """Names are split at the first blank; new code writes first names with a blank in them."""
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.execute("INSERT INTO users (name) SELECT 'First' || i || ' Last' || i FROM generate_series(1, 1000) i")
    body = """
    from expandcontract import Backfill, Sync

    sync = Sync(
        "users",
        forward={"first": "split_part(name, ' ', 1)", "last": "substr(name, length(split_part(name, ' ', 1)) + 2)"},
        backward={"name": "first || ' ' || last"},
    )

    def upgrade():
        op.add_column("users", sa.Column("first", sa.Text))
        op.add_column("users", sa.Column("last", sa.Text))
        op.create_sync(sync)

    def downgrade():
        op.drop_sync(sync)
        op.drop_column("users", "first")
        op.drop_column("users", "last")

    backfill = Backfill(sync)
    """
    project.revision("0002", body, after="0001", title="split name")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "green", "2")
    project.ec("colour", "traffic", "green=100")  # before the backfill: not as it should be, and so on record
    new = "UPDATE users SET first = 'Mary Ann', last = 'Smith' WHERE id = {}"
    project.execute(new.format(10))

    running = project.start("backfill", "--rate", "500")
    until(lambda: project.rows("SELECT FROM ec.backfill_range") or not running.is_running)
    project.execute(new.format(20), new.format(990))
    assert running.end().code == 0

    rows = project.rows("SELECT first, last, name FROM users WHERE id IN (10, 20, 990)")
    assert rows == [("Mary Ann", "Smith", "Mary Ann Smith")] * 3
    assert project.value("SELECT count(*) FROM users WHERE first = 'First' || id AND last = 'Last' || id") == 997


def test_set_and_where_fill_only_the_rows_that_need_it(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.execute("INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, 1000) i")
    body = """
    from expandcontract import Backfill

    def upgrade():
        op.add_column("users", sa.Column("kind", sa.Text))
        op.add_column("users", sa.Column("%odd \\"name", sa.Integer))

    def downgrade():
        op.drop_column("users", "kind")

    backfill = Backfill(
        "users", set={"kind": "'100 %: ' || name", "%odd \\"name": "5 % 3"}, where="kind IS NULL AND id % 2 = 0",
        writers="0002", required=False,
    )
    """
    project.revision("0002", body, after="0001")
    project.ok("migrate", "expand")
    refused = project.json("backfill", code=3)
    assert [no["code"] for no in refused["refusals"]] == ["no-writer"]
    project.ok("colour", "deploy", "green", "2")
    project.ok("colour", "traffic", "green=100")

    (done,) = project.json("backfill", "0002")["filled"]

    assert (done["rows"], done["rows_written"]) == (1000, 500)
    assert project.value('SELECT count(*) FROM users WHERE kind = \'100 %: \' || name AND "%odd ""name" = 2') == 500
    assert project.value("SELECT count(*) FROM users WHERE kind IS NULL AND id % 2 = 1") == 500


def test_a_condition_that_its_own_update_does_not_make_false_is_refused_before_the_first_row(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    project.execute("INSERT INTO users (name) SELECT 'person ' || i FROM generate_series(1, 200) i")
    body = "from expandcontract import Backfill\n" + EMPTY
    body += "backfill = Backfill('users', set={'name': 'upper(name)'}, where='true', writers='0002', required=False)\n"
    project.revision("0002", body, after="0001")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "green", "2")
    project.ec("colour", "traffic", "green=100")

    ran = project.json("backfill", code=2)

    assert ran["error"]["kind"] == "UsageError"
    assert "what it sets doesn't make its condition false" in ran["error"]["because"]
    (view,) = [step for step in project.json("status", "--check", code=1)["steps"] if step["phase"] == "backfill"]
    assert view["state"] == "pending"
    # mended, it goes on
    project.revision("0002", body.replace("'true'", "'name <> upper(name)'"), after="0001")
    assert project.json("backfill")["outcome"] == "done"


def test_a_row_that_the_server_refuses_ends_in_7_and_the_rest_is_kept(project):
    project.revision("0001", EMPTY)
    project.execute(
        "CREATE TABLE t (id int PRIMARY KEY, source text)",
        "INSERT INTO t SELECT i, i::text FROM generate_series(1, 3000) i",
        "UPDATE t SET source = 'secret value' WHERE id = 2500",
    )
    body = """
    from expandcontract import Backfill, Sync

    sync = Sync("t", forward={"number": "source::int"}, backward={"source": "number::text"})

    def upgrade():
        op.add_column("t", sa.Column("number", sa.Integer))
        op.create_sync(sync)

    def downgrade():
        op.drop_sync(sync)
        op.drop_column("t", "number")

    backfill = Backfill(sync)
    """
    project.revision("0002", body, after="0001")
    project.ok("migrate", "expand")

    ran = project.json("backfill", code=7)

    assert "invalid input syntax for type integer" in ran["error"]["because"]
    filled = project.value("SELECT count(*) FROM t WHERE number IS NOT NULL")
    assert filled == project.value("SELECT coalesce(sum(rows_written), 0) FROM ec.backfill_range") > 0
    project.ok("colour", "deploy", "green", "2")
    assert project.ec("colour", "check", "green").code == 3
    project.execute("UPDATE t SET source = '2500' WHERE id = 2500")
    (done,) = project.json("backfill")["filled"]
    assert (done["rows"], done["rows_written"]) == (3000, 2999)  # the trigger filled the mended one
