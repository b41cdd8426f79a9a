"""``op.create_sync`` and the check before it: what can't work is refused while nothing has changed."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.operations import Operations

from expandcontract.alembic_bridge.operations import CreateSyncOp, DropSyncOp
from expandcontract.alembic_bridge.project import open_project
from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.alembic_bridge.revisions import read_revisions
from expandcontract.alembic_bridge.sync_check import check_syncs
from expandcontract.domain.change import Sync
from expandcontract.errors import RevisionError

TABLE = """
CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE TABLE countries (code text, name text);
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, total int, data json, feeling mood,
    loud text GENERATED ALWAYS AS (upper(name)) STORED)
"""
BODY = """
from expandcontract import Sync

sync = Sync("users", {sync})


def upgrade():
    {add}
    op.create_sync(sync)


def downgrade():
    op.drop_sync(sync)
"""
ADD_TEXT = 'op.add_column("users", sa.Column("display_name", sa.Text))'


@pytest.fixture
def check(project, database, monkeypatch):
    """Checks a revision with this Sync, on an owner's connection."""
    with database.connect(autocommit=True) as connection:
        connection.execute(TABLE)
    monkeypatch.chdir(project.folder)

    def check(sync, add=ADD_TEXT):
        project.revision("0001", BODY.format(sync=sync, add=add))
        opened = open_project(ProjectOptions())
        (revision,) = read_revisions(opened, timedelta(days=1))
        with database.connect(autocommit=True) as connection:
            try:
                check_syncs(connection, revision)
            finally:
                left = connection.execute(
                    "SELECT relname FROM pg_class WHERE relpersistence = 't' UNION"
                    " SELECT proname FROM pg_proc WHERE proname LIKE 'ec\\_%' UNION"
                    " SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'display_name'"
                ).fetchall()
                assert left == []

    return check


@pytest.mark.parametrize(
    ("forward", "words"),
    [
        ("name ||", 'syntax error at or near ")"'),
        ("nam", 'column "nam" does not exist'),
        ("name || total_cost", 'column "total_cost" does not exist'),
        ("data::text", 'column "data" does not exist'),  # it is there, but no trigger has it
        ("total", "but expression is of type integer"),
        ("name + 1", "operator does not exist: text + integer"),
        ("nosuch(name)", "function nosuch(text) does not exist"),
        ("(SELECT c.name FROM nowhere c)", 'relation "nowhere" does not exist'),
        ("to_json(users)::text", 'column "users" does not exist'),
        ("users.ctid::text", 'missing FROM-clause entry for table "users"'),
        ("max(name)", "aggregate functions are not allowed in UPDATE"),
        ("name || random()", "volatile"),
        ("(SELECT name || random())", "volatile"),
        ("name; SELECT 1", 'at or near ";"'),
    ],
)
def test_an_expression_that_cannot_work_is_refused_in_the_servers_words(check, project, forward, words):
    sync = f'forward={{"display_name": {forward!r}}}, backward={{"name": "display_name"}}'
    if forward == "total":
        sync = 'forward={"feeling": "name || total"}, reads=("name", "total")'
        words = 'column "feeling" is of type mood but expression is of type text'

    with pytest.raises(RevisionError) as refused:
        check(sync)
    error = refused.value
    assert words in error.because
    assert error.file == str(project.versions / "0001.py")
    assert error.line == 12, "where the file names the Sync"
    assert str(error).startswith(f"{error.file}:{error.line}: the Sync's forward expression for users.")


def test_a_wrong_backward_expression_is_named_as_such(check):
    with pytest.raises(RevisionError, match=r"backward expression for users\.name can't work: initcap\(display\)"):
        check('forward={"display_name": "name"}, backward={"name": "initcap(display)"}')


@pytest.mark.parametrize(
    ("sync", "add", "words"),
    [
        ('forward={"display_name": "name"}, backward={"name": "display_name"}', "pass", "display_name, which doesn't"),
        ('forward={"display_name": "loud"}, reads=("loud",)', ADD_TEXT, "column loud: it is generated"),
        (
            'forward={"display_name": "name"}, backward={"name": "display_name"}',
            'op.add_column("users", sa.Column("display_name", sa.Text, server_default=sa.text("random()::text")))',
            "column display_name: it has a volatile default",
        ),
        (
            'forward={"display_name": "name"}, backward={"name": "display_name"}',
            'op.add_column("users", sa.Column("display_name", sa.Text, server_default=sa.text("nosuch()")))',
            "the columns that this change adds to users can't be made",
        ),
    ],
)
def test_a_column_that_cannot_be_used_is_refused(check, sync, add, words):
    with pytest.raises(RevisionError, match=words):
        check(sync, add)


@pytest.mark.parametrize(
    ("sync", "add"),
    [
        ('forward={"display_name": "name"}, backward={"name": "display_name"}', ADD_TEXT),
        ('forward={"display_name": "upper(users.name)"}, backward={"name": "display_name"}', ADD_TEXT),
        ('forward={"display_name": "(1 / coalesce(total, 0))::text || \'%:x\'"}, reads=("total",)', ADD_TEXT),
        (
            'forward={"display_name": "(SELECT c.name FROM countries c WHERE c.code = users.name)"}, reads=("name",)',
            ADD_TEXT,
        ),
        (
            'forward={"doc": "data::jsonb"}, backward={"data": "doc::json"}',
            'op.add_column("users", sa.Column("doc", sa.dialects.postgresql.JSONB))',
        ),
        (
            'forward={"state": "feeling::text"}, backward={"feeling": "state::mood"}',
            'op.add_column("users", sa.Column("state", sa.String(10), server_default="50% happy"))',
        ),
        (
            'forward={"display_name": "name"}, backward={"name": "display_name"}',
            'op.execute("ALTER TABLE users ADD COLUMN display_name text")',
        ),
    ],
)
def test_what_can_work_is_let_through(check, sync, add):
    check(sync, add)


def engine_of(database):
    return sqlalchemy.create_engine(database.url, poolclass=sqlalchemy.NullPool)


@pytest.mark.parametrize("forward", ["nam", "total", "to_json(users)::text", "name ||"])
def test_under_plain_alembic_a_wrong_expression_fails_where_the_triggers_are_made(database, forward):
    engine = engine_of(database)
    sync = Sync("users", forward={"feeling": forward}, backward={"name": "feeling"}, reads=("total",))
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLE)

    with pytest.raises(sqlalchemy.exc.DBAPIError), engine.begin() as connection:
        Operations(MigrationContext.configure(connection)).create_sync(sync)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO users (id, name) VALUES (1, 'unharmed')")


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg", None])
@pytest.mark.parametrize(
    ("forward", "backward", "one", "two"),
    [
        ("name", "display_name", "a", "b"),
        ("replace(name, E'\\t', '\t%%:x') || (SELECT c.code FROM countries c)", "display_name", "a-!", "b"),
    ],
)
def test_an_offline_script_has_the_same_effect(each_database, driver, forward, backward, one, two):
    sync = Sync("users", forward={"display_name": forward}, backward={"name": backward})
    script = io.StringIO()
    url = f"postgresql+{driver}://" if driver else "postgresql://"
    options = {"as_sql": True, "output_buffer": script}
    context = MigrationContext.configure(dialect_name="postgresql", url=url, opts=options)
    Operations(context).create_sync(sync)

    with each_database.connect(autocommit=True) as connection:
        connection.execute(
            "CREATE SCHEMA other; CREATE TABLE users (id int, name text, display_name text);"
            "CREATE TABLE countries (code text); INSERT INTO countries VALUES ('-!')"
        )
        connection.execute(script.getvalue().encode())
        connection.execute("SET search_path = other")
        connection.execute("INSERT INTO public.users (id, name) VALUES (1, 'a')")
        connection.execute("INSERT INTO public.users (id, display_name) VALUES (2, 'x')")
        connection.execute("UPDATE public.users SET display_name = 'b' WHERE id = 2")
        found = connection.execute("SELECT * FROM public.users ORDER BY id").fetchall()
        assert found == [(1, "a", one), (2, "b", two)]
        assert "\t%%:x" in script.getvalue() or forward == "name"

        engine = engine_of(each_database)  # made offline, removed online
        with engine.begin() as owner:
            Operations(MigrationContext.configure(owner)).drop_sync(sync)
        assert connection.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'ec\\_%'").fetchone() == (0,)


def test_made_online_and_removed_by_a_script(database):
    sync = Sync("users", forward={"display_name": "upper(name)"}, backward={"name": "display_name"}, not_null=True)
    script = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": script})
    Operations(context).drop_sync(sync)
    engine = engine_of(database)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (id int, name text, display_name text)")
        Operations(MigrationContext.configure(connection)).create_sync(sync)
        connection.exec_driver_sql(script.getvalue())
        assert connection.exec_driver_sql("SELECT count(*) FROM pg_trigger").scalar() == 0


def test_an_offline_script_refuses_a_default_that_it_cannot_know(database):
    sync = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"})
    script = io.StringIO()
    context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": script})
    Operations(context).create_sync(sync)

    with database.connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int, name text DEFAULT 'x', display_name text)")
        with pytest.raises(Exception, match="a synced column has a default"):
            connection.execute(script.getvalue().encode())


def test_each_operation_is_the_others_reverse():
    sync = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"})

    assert isinstance(CreateSyncOp(sync).reverse(), DropSyncOp)
    assert DropSyncOp(sync).reverse().sync is sync
    assert CreateSyncOp(sync).to_diff_tuple() == ("create_sync", sync)
    assert DropSyncOp(sync).to_diff_tuple() == ("drop_sync", sync)
