"""The tombstone on a real server: who is stopped, what comes back, what comes meanwhile, and who asks for it."""

from __future__ import annotations

import json
import threading
from itertools import pairwise
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from expandcontract.commands.ready import Readiness, ready
from tests.fixtures.http_server import HttpServer, Reply
from tests.fixtures.project import until
from tests.fixtures.roles import recipe
from tests.fixtures.shop import APP, PASSWORD, Shop

ACL = """
SELECT granted.about, x.grantor::regrole::text, x.grantee::regrole::text, x.privilege_type, x.is_grantable
  FROM (SELECT '' AS about, relacl AS acl FROM pg_class WHERE oid = 'users'::regclass
        UNION ALL
        SELECT attname, attacl FROM pg_attribute
         WHERE attrelid = 'users'::regclass AND NOT attisdropped) granted
 CROSS JOIN LATERAL aclexplode(granted.acl) x
 ORDER BY 1, 2, 3, 4, 5
"""
REFUSED = [
    "SELECT name FROM users",
    "SELECT * FROM users",
    "SELECT u FROM users u",
    "UPDATE users SET name = 'x'",
    "INSERT INTO users (name) VALUES ('x')",
    "INSERT INTO users VALUES (DEFAULT, 'x', 'x')",
    "COPY users TO STDOUT",
]
ALLOWED = [
    "SELECT id, display_name FROM users",
    "SELECT count(*) FROM users",
    "SELECT id FROM users FOR UPDATE",
    "INSERT INTO users (display_name) VALUES ('x')",
    "INSERT INTO users (display_name) VALUES ('x') ON CONFLICT (id) DO UPDATE SET display_name = EXCLUDED.display_name",
    "UPDATE users SET display_name = 'y' WHERE id = 1",
    "DELETE FROM users WHERE id > 2",
]


@pytest.fixture
def tombs(shop: Shop) -> Shop:
    """The shop, where a contract asks for nothing yet."""
    shop.configure()
    return shop


def acl(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.project.rows(ACL)


def outcome(connection: psycopg.Connection[Any], statement: str) -> str:
    """``ok``, or the SQLSTATE."""
    try:
        with connection.transaction(force_rollback=True):
            if statement.startswith("COPY"):
                with connection.cursor().copy(statement.encode()) as copy:
                    list(copy)
            else:
                connection.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate or "?"
    return "ok"


def readiness(shop: Shop, release: str) -> Readiness:
    """What the application is told, with the grants that the documentation names."""
    names = {"shop_app": APP, "shop_runner": str(conninfo_to_dict(shop.project.dsn)["user"])}
    with psycopg.connect(shop.project.dsn, autocommit=True) as owner:
        for statement in recipe("application reads the ledger", names):
            owner.execute(statement)
    url = shop.server.dsn(shop.database, user=APP, password=PASSWORD)
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        return ready(engine, release)
    finally:
        engine.dispose()


def test_whoever_needs_the_column_is_stopped_and_nobody_else(tombs: Shop) -> None:
    tombs.project.execute("GRANT SELECT (id, name) ON users TO shop_green", "GRANT TRIGGER ON users TO PUBLIC")
    before = acl(tombs)
    with tombs.app() as worker:
        assert {outcome(worker, statement) for statement in [*REFUSED, *ALLOWED]} == {"ok"}

        assert tombs.project.json("tombstone", "0002", "--dry-run")["taken"] == ["public.users.name"]
        assert acl(tombs) == before

        done = tombs.project.json("tombstone", "0002")

        assert (done["taken"], done["roles"]) == (["public.users.name"], ["shop_app", "shop_green"])
        assert {statement: outcome(worker, statement) for statement in REFUSED} == dict.fromkeys(REFUSED, "42501")
        assert {statement: outcome(worker, statement) for statement in ALLOWED} == dict.fromkeys(ALLOWED, "ok")
        assert "ec tombstone 0002 --undo" in tombs.project.ok("status").stdout
        assert tombs.project.json("tombstone", "0002")["outcome"] == "nothing"

        tombs.project.ok("tombstone", "0002", "--undo")
        assert {outcome(worker, statement) for statement in [*REFUSED, *ALLOWED]} == {"ok"}
    assert acl(tombs) == before
    kinds = [event["kind"] for event in tombs.project.json("log")["events"]]
    assert kinds[-2:] == ["tombstone", "tombstone undone"]


def test_the_webhook_is_told_of_a_tombstone_of_its_undo_and_of_a_refusal(tombs: Shop, web: HttpServer) -> None:
    tombs.project.variables["EC_WEBHOOK"] = f"{web.url}/hook"
    web.replies["/hook"] = Reply("ok")

    tombs.project.ok("tombstone", "0002", "--dry-run")
    tombs.project.ok("tombstone", "0002")
    tombs.project.ok("tombstone", "0002")  # it stands already
    tombs.project.ok("tombstone", "0002", "--undo")
    tombs.project.ok("colour", "traffic", "blue=100")
    assert tombs.project.ec("tombstone", "0002").code == 3

    told = [json.loads(asked.body) for asked in web.asked]
    assert [(one["outcome"], one.get("undone")) for one in told] == [
        ("done", False),
        ("done", True),
        ("refused", False),
    ]
    assert "out of reach of shop_app: public.users.name" in told[0]["text"]


def test_an_old_worker_in_a_loop_fails_from_one_moment_to_the_next_and_goes_on_after_the_undo(tombs: Shop) -> None:
    """No row is lost, the undo is one transaction, and neither it nor the tombstone waits for the worker."""
    stop, seen = threading.Event(), list[str]()

    def work() -> None:
        with tombs.app() as worker:
            while not stop.is_set():
                seen.append(outcome(worker, "SELECT name, display_name FROM users WHERE id = 1"))

    rows = tombs.project.rows("SELECT id, name, display_name FROM users ORDER BY id")
    thread = threading.Thread(target=work)
    with tombs.app() as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT name FROM users")  # its lock on the table is in nobody's way
        thread.start()
        try:
            until(lambda: "ok" in seen, what="the worker reads")
            tombs.project.ok("tombstone", "0002")
            until(lambda: "42501" in seen, what="the worker is stopped")
            transactions = tombs.project.value("SELECT txid_current()")
            tombs.project.ok("tombstone", "0002", "--undo")
            until(lambda: seen[-1] == "ok", what="the worker reads again")
        finally:
            stop.set()
            thread.join()
    assert set(seen) == {"ok", "42501"}
    changes = sum(one != other for one, other in pairwise(seen))
    assert changes == 2, "it failed in one stretch"
    writers = tombs.project.rows("SELECT DISTINCT xmin::text::bigint FROM pg_class WHERE oid = 'users'::regclass")
    event = tombs.project.value("SELECT xmin::text::bigint FROM ec.event WHERE kind = 'tombstone undone'")
    assert writers == [(event,)], "the privileges and the record of them came back in one transaction"
    assert event > transactions
    assert tombs.project.rows("SELECT id, name, display_name FROM users ORDER BY id") == rows


@pytest.mark.long
def test_what_it_cannot_take_and_give_back_exactly_it_leaves_alone(tombs: Shop) -> None:
    def refusal(code: int = 3) -> dict[str, Any]:
        before = acl(tombs), tombs.project.rows("SELECT FROM ec.tombstone")
        (refused,) = tombs.project.json("tombstone", "0002", code=code)["refusals"]
        assert (acl(tombs), tombs.project.rows("SELECT FROM ec.tombstone")) == before
        return dict(refused)

    toml = tombs.project.folder / "pyproject.toml"
    text = toml.read_text()
    toml.write_text(text.replace('["postgres", "shop_owner"]', "[]"))
    unstoppable = refusal()
    assert unstoppable["code"] == "unstoppable"
    assert "postgres (a superuser), shop_owner (the owner)" in unstoppable["because"]
    toml.write_text(text)

    tombs.project.execute("GRANT SELECT ON users TO shop_app WITH GRANT OPTION")
    with tombs.app() as app:
        app.execute("GRANT SELECT ON users TO shop_green")
    assert "shop_app passed on privileges on users" in refusal()["because"]

    tombs.project.execute("UPDATE ec.release SET last_traffic = now() WHERE tag = '1'")
    assert refusal(code=4)["code"] == "window-open"


def test_a_column_that_comes_meanwhile_can_be_used_and_the_tombstone_ends_with_its_contract(tombs: Shop) -> None:
    before = acl(tombs)
    tombs.project.ok("tombstone", "0002")
    tombs.project.revision(
        "0003",
        """
        def upgrade():
            op.add_column("users", sa.Column("notes", sa.Text))

        def downgrade():
            op.drop_column("users", "notes")
        """,
        after="0002",
    )
    tombs.project.ok("migrate", "expand")
    with tombs.app() as worker:
        assert outcome(worker, "UPDATE users SET notes = 'x'") == "ok"
        assert outcome(worker, "SELECT name FROM users") == "42501"

        tombs.project.ok("colour", "deploy", "green", "3")
        tombs.project.ok("migrate", "contract", "0002")
        assert outcome(worker, "SELECT * FROM users") == "ok"
    assert "name" not in tombs.project.columns("users")
    assert acl(tombs) == before
    assert tombs.project.rows("SELECT FROM ec.tombstone") == []


def test_the_contract_asks_for_a_soak_where_that_is_configured(tombs: Shop) -> None:
    tombs.configure(more='tombstone_soak = "1d"')
    assert tombs.project.json("migrate", "contract", code=3)["refusals"][0]["code"] == "no-tombstone"

    tombs.project.ok("tombstone", "0002")
    (refusal,) = tombs.project.json("migrate", "contract", code=3)["refusals"]
    assert refusal["code"] == "soaking"
    assert refusal["until"] is not None

    tombs.project.execute("UPDATE ec.tombstone SET since = since - interval '1 day'")
    tombs.project.execute("GRANT SELECT ON users TO shop_app")  # somebody mends what seemed broken
    (refusal,) = tombs.project.json("migrate", "contract", code=3)["refusals"]
    assert "shop_app (by another grant)" in refusal["because"]

    tombs.project.execute(
        "REVOKE SELECT ON users FROM shop_app", "GRANT SELECT (id, display_name) ON users TO shop_app"
    )
    tombs.project.ok("migrate", "contract")
    assert "name" not in tombs.project.columns("users")


@pytest.mark.long
def test_a_release_that_needs_what_was_taken_may_not_go_back_before_the_undo(tombs: Shop) -> None:
    assert tombs.project.ok("colour", "check", "blue", "--rollback").code == 0
    tombs.project.ok("tombstone", "0002")

    (refusal,) = tombs.project.json("colour", "check", "blue", "--rollback", code=3)["refusals"]
    assert (refusal["code"], refusal["next"]) == ("tombstone", "ec tombstone 0002 --undo")
    assert "release 1 lacks 0002" in refusal["because"]
    assert "a tombstone keeps it from public.users.name" in readiness(tombs, "1").because[0]
    assert readiness(tombs, "2")
    assert tombs.project.ec("colour", "traffic", "blue=100").code == 3
    assert tombs.project.ec("undo", "0002").code == 3

    tombs.project.ok("tombstone", "0002", "--undo")
    tombs.project.ok("colour", "check", "blue", "--rollback")


@pytest.mark.long
def test_an_undo_waits_for_a_contract_that_is_about_to_commit_and_finds_it_done(tombs: Shop) -> None:
    tombs.project.ok("tombstone", "0002")
    with tombs.project.transaction("SELECT FROM ec.tombstone FOR SHARE"):
        ended = tombs.project.ec("tombstone", "0002", "--undo", variables={"EC_LOCK_TIMEOUT": "200ms"})
    assert ended.code == 6
    assert "a contract is about to commit" in ended.stderr
    tombs.project.ok("tombstone", "0002", "--undo")
    assert (
        tombs.project.json("tombstone", "0002", "--undo")["outcome"] == "nothing"
    )  # whoever was interrupted asks again
    assert "there stands none" in tombs.project.json("tombstone", "0001", "--undo", code=2)["error"]["because"]


@pytest.mark.long
def test_a_contract_killed_before_its_drop_leaves_the_tombstone_and_its_undo(tombs: Shop) -> None:
    tombs.project.ok("tombstone", "0002")
    with tombs.project.transaction("SELECT FROM users"):
        running = tombs.project.start("migrate", "contract", "0002")
        until(lambda: tombs.project.rows("SELECT FROM pg_locks WHERE NOT granted"), what="the contract waiting")
        running.kill()

    (stands,) = tombs.project.json("status")["tombstones"]
    assert stands["undo"] == "ec tombstone 0002 --undo"
    until(lambda: not tombs.project.runners(), what="the server noticing")
    tombs.project.ok("tombstone", "0002", "--undo")
    with tombs.app() as worker:
        assert outcome(worker, "SELECT name FROM users") == "ok"
    tombs.project.ok("tombstone", "0002")
    tombs.project.ok("migrate", "contract", "0002")
    assert "name" not in tombs.project.columns("users")
