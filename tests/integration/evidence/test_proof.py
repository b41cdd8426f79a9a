"""Whether anything still refers to what a contract removes, on a real server that counts statements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from expandcontract.database.executor import PsycopgExecutor
from expandcontract.database.statements import take_sample
from expandcontract.domain.statements import Series, broken_by
from expandcontract.proof.scratch_server import ScratchServer
from tests.fixtures.project import until
from tests.fixtures.servers import ram_disk
from tests.fixtures.shop import PRELOAD, Shop, with_statements


def reasons(document: dict[str, object]) -> str:
    return "\n".join(f"{sign['means']} {sign['verdict']}: {sign['because']}" for sign in document["signs"])  # type: ignore[attr-defined]


def test_an_old_worker_that_reads_the_column_once_is_found_and_holds_the_contract(shop: Shop) -> None:
    shop.project.execute("CREATE PUBLICATION changes FOR TABLE users")  # whose tables the server locks to list them
    shop.project.ok("observe")
    shop.watched_for("2 hours")
    clear = shop.project.json("prove", "0002")
    assert (clear["verdict"], clear["signs"]) == ("clear", [])
    assert "publications that send it to somebody: changes" in clear["unseen"]

    with shop.app() as worker:
        worker.execute("SELECT id, name FROM users WHERE id = 1")
    seen = shop.project.json("prove", "0002", code=1)
    assert seen["verdict"] == "seen"
    assert "role shop_app on primary names it: SELECT id, name FROM users WHERE id = $1 (1 calls in all" in reasons(
        seen
    )

    shop.superuser("/* from the wiki */ ALTER ROLE shop_blue PASSWORD 'nobody-else-knows'")
    shop.project.ok("observe")  # from now on the ledger knows, whatever the server forgets
    refused = shop.project.json("migrate", "contract", code=3)
    assert [refusal["code"] for refusal in refused["refusals"]] == ["referred-to"]
    assert "name" in shop.project.columns("users")
    assert shop.project.rows("SELECT FROM ec.statement WHERE query LIKE '%knows%'") == []

    shop.project.execute("UPDATE ec.statement SET grew_at = grew_at - interval '2 hours'")
    shop.project.ok("migrate", "contract")
    assert "name" not in shop.project.columns("users")


def test_a_longer_window_asks_for_longer_evidence(shop: Shop) -> None:
    shop.project.ok("observe")
    shop.watched_for("2 hours")
    assert shop.project.json("prove", "0002")["verdict"] == "clear"

    shop.project.ok("window", "0002", "--extend", "1d", "--reason", "a job that runs once a day")

    assert shop.project.json("prove", "0002", code=1)["verdict"] == "inconclusive"


@pytest.mark.long
def test_ecs_own_looks_at_the_column_are_nobodys_reading(shop: Shop) -> None:
    """The role is the application's as well here, so only the mark tells them apart."""
    shop.configure("statements", more="# nobody is spared\n")
    toml = shop.project.folder / "pyproject.toml"
    toml.write_text(toml.read_text().replace('["postgres", "shop_owner"]', "[]"))
    shop.project.ok("observe")
    shop.watched_for("2 hours")

    shop.project.ok("backfill", "verify", "0002")
    assert shop.project.json("prove", "0002")["verdict"] == "clear"

    shop.project.execute("SELECT id, name FROM users")
    assert "role shop_owner on primary names it" in reasons(shop.project.json("prove", "0002", code=1))


@pytest.mark.long
def test_what_cannot_be_known_is_not_taken_for_silence(shop: Shop) -> None:
    """Each trap by itself: never sampled, too young, reset, one entry reset, a gap, no rights, not counted."""

    def reason() -> str:
        document = shop.project.json("prove", "0002", code=1)
        assert document["verdict"] == "inconclusive"
        return reasons(document)

    def whole_again() -> None:
        shop.project.ok("observe")
        shop.watched_for("2 hours")
        shop.project.execute("UPDATE ec.statement SET grew_at = NULL")
        assert shop.project.json("prove", "0002")["verdict"] == "clear"

    assert "no sample was ever taken" in reason()
    shop.project.ok("observe")
    assert "whole only since" in reason()
    whole_again()

    shop.superuser("SELECT pg_stat_statements_reset()")
    assert "was reset" in reason()
    whole_again()

    with shop.app() as worker:
        worker.execute("SELECT id FROM users")
    whole_again()
    query_id = "SELECT queryid FROM pg_stat_statements WHERE query = 'SELECT id FROM users'"
    shop.superuser(f"SELECT pg_stat_statements_reset(0, 0, ({query_id}))")
    assert "an entry of role shop_app vanished" in reason()
    whole_again()

    shop.project.execute("UPDATE ec.statement_series SET ended_at = ended_at - interval '11 minutes'")
    assert "nobody took a sample for 11m" in reason()
    whole_again()

    shop.superuser("REVOKE pg_read_all_stats FROM shop_owner")
    try:
        assert "doesn't see other roles' statements; GRANT pg_read_all_stats" in reason()
    finally:
        shop.superuser("GRANT pg_read_all_stats TO shop_owner")

    shop.superuser("ALTER ROLE shop_app SET pg_stat_statements.track = 'none'")
    try:
        assert "for some it is set otherwise: shop_app pg_stat_statements.track=none" in reason()
    finally:
        shop.superuser("ALTER ROLE shop_app RESET pg_stat_statements.track")

    shop.superuser(f"ALTER DATABASE {shop.database} SET pg_stat_statements.track_utility = 'off'")
    assert "track_utility is off" in reason()
    shop.superuser(f"ALTER DATABASE {shop.database} RESET pg_stat_statements.track_utility")
    shop.superuser(f"ALTER DATABASE {shop.database} SET compute_query_id = 'off'")
    assert "compute_query_id is off" in reason()
    shop.superuser(f"ALTER DATABASE {shop.database} RESET compute_query_id")

    shop.superuser("DROP EXTENSION pg_stat_statements")
    assert "has no extension pg_stat_statements" in reason()
    refused = shop.project.json("migrate", "contract", code=3)
    assert [refusal["code"] for refusal in refused["refusals"]] == ["unproven"]


def test_a_statement_that_is_evicted_leaves_a_trace() -> None:
    settings = {**PRELOAD, "pg_stat_statements.max": 100}
    with (
        ScratchServer(with_statements(), settings=settings, parent=ram_disk()) as small,
        psycopg.connect(small.dsn(), autocommit=True) as admin,
    ):
        admin.execute("CREATE EXTENSION pg_stat_statements")
        before = take_sample(PsycopgExecutor(admin), "primary", datetime.now(UTC))
        for number in range(150):
            admin.execute(f"SELECT {', '.join(['1'] * (number + 1))}".encode())
        after = take_sample(PsycopgExecutor(admin), "primary", datetime.now(UTC))

    kept = Series("primary", before.at, before.at, None, before.reset_at, before.evicted, before.entries)
    assert "evicted entries" in (broken_by(kept, after, timedelta(minutes=10)) or "")


@pytest.mark.long
def test_an_extension_that_the_server_has_not_loaded_says_so_and_ends_no_transaction() -> None:
    with (
        ScratchServer(with_statements(), parent=ram_disk()) as bare,
        psycopg.connect(bare.dsn(), autocommit=True) as admin,
    ):
        admin.execute("CREATE EXTENSION pg_stat_statements")
        with admin.transaction():
            sample = take_sample(PsycopgExecutor(admin), "primary", datetime.now(UTC), admin.transaction())
            assert "name it in shared_preload_libraries" in (sample.trouble or "")
            admin.execute("SET LOCAL pg_stat_statements.track TO top")  # a placeholder, so only the view can tell
            admin.execute("SET LOCAL pg_stat_statements.track_utility TO on")
            sample = take_sample(PsycopgExecutor(admin), "primary", datetime.now(UTC), admin.transaction())
            assert "must be loaded via" in (sample.trouble or "")
            assert admin.execute("SELECT 1").fetchone() == (1,)


def test_what_stands_on_the_column_in_the_catalogue_is_seen(shop: Shop) -> None:
    shop.configure("catalog")
    on_it = {
        "CREATE VIEW names AS SELECT name FROM users": "view public.names",
        "CREATE INDEX of_two ON users (name, id)": "index public.of_two",
        "CREATE STATISTICS about ON name, id FROM users": "statistics object public.about",
        "ALTER TABLE users ADD CONSTRAINT two CHECK (name <> id::text)": "constraint two on table public.users",
        "ALTER TABLE users ADD loud text GENERATED ALWAYS AS (upper(name)) STORED": "column loud of table public.users",
        "CREATE POLICY mine ON users USING (name = current_user)": "policy mine on table public.users",
        "CREATE FUNCTION parsed() RETURNS text BEGIN ATOMIC SELECT name FROM users; END": "function public.parsed()",
        "CREATE FUNCTION text_of() RETURNS text LANGUAGE sql AS 'SELECT name FROM users'": "text_of() names it",
        "CREATE FUNCTION all_of() RETURNS SETOF users LANGUAGE plpgsql AS"
        " 'BEGIN RETURN QUERY SELECT * FROM users; END'": "all_of() reads every column (*)",
        "CREATE FUNCTION heard() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.name := lower(NEW.name); RETURN NEW; END';"
        "CREATE TRIGGER hears BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION heard()": "heard() names it",
    }
    harmless = (
        "CREATE INDEX alone ON users (name)",
        "CREATE VIEW ids AS SELECT id FROM users",
        "CREATE FUNCTION id_of() RETURNS bigint LANGUAGE sql AS 'SELECT id FROM users'",
    )
    shop.project.execute(*harmless, *on_it)
    body = "BEGIN EXECUTE format('SELECT name FROM %I', 'users'); END"
    shop.project.execute(f"CREATE FUNCTION made_up() RETURNS void LANGUAGE plpgsql AS $body$ {body} $body$")
    found = [sign for sign in shop.project.json("prove", "0002", code=1)["signs"] if sign["means"] == "catalog"]
    (unknown,) = [found.pop(place) for place, sign in enumerate(found) if sign["verdict"] == "inconclusive"]
    assert "made_up() has its name in it, and the function made_up() makes SQL up when it runs" in unknown["because"]

    because = [sign["because"] for sign in found]
    for words in on_it.values():
        assert any(words in one for one in because), (words, because)
    assert len(because) == len(on_it)
    refused = shop.project.json("migrate", "contract", code=3)
    assert [refusal["code"] for refusal in refused["refusals"]] == ["referred-to"]
    names = "VIEW names, FUNCTION parsed, FUNCTION text_of, FUNCTION all_of, FUNCTION heard"
    shop.project.execute(*(f"DROP {name} CASCADE" for name in names.split(", ")), "DROP POLICY mine ON users")
    shop.project.execute(
        "ALTER TABLE users DROP COLUMN loud, DROP CONSTRAINT two", "DROP INDEX of_two", "DROP STATISTICS about"
    )
    refused = shop.project.json("migrate", "contract", code=3)
    assert [refusal["code"] for refusal in refused["refusals"]] == ["unproven"]


@pytest.mark.long
def test_a_statement_that_reads_while_the_contract_waits_for_its_locks_rolls_it_back(shop: Shop) -> None:
    shop.project.ok("observe")
    shop.watched_for("2 hours")
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with shop.app() as worker, shop.app(application_name="blocker") as blocker:
        worker.execute("PREPARE ahead AS SELECT 1")
        blocker.execute("BEGIN")
        blocker.execute("SELECT id FROM users")
        running = shop.project.start("migrate", "contract", "--lock-timeout", "60s", "--json")
        until(lambda: shop.project.value(waits), what="the contract waits")
        blocker.execute("SELECT name FROM users")  # it holds its lock already, so it needn't queue
        blocker.execute("COMMIT")
        ended = running.end()

    assert ended.code == 3
    assert ended.refusal_codes == {"referred-to"}
    assert "name" in shop.project.columns("users")


@pytest.mark.long
def test_a_contract_that_removes_nothing_needs_no_proof(shop: Shop) -> None:
    shop.project.revision(
        "0003",
        """
        def upgrade():
            op.execute("ALTER TABLE users ADD COLUMN age int")

        def downgrade():
            op.execute("ALTER TABLE users DROP COLUMN age")

        def contract():
            op.execute("ALTER TABLE users ALTER COLUMN age SET DEFAULT 1")
        """,
        after="0002",
    )
    shop.project.ok("migrate", "expand")

    assert shop.project.json("prove", "0003")["verdict"] == "clear"
    assert "has no contract()" in shop.project.json("prove", "0001", code=2)["error"]["message"]


def test_a_session_of_a_colours_role_counts_as_one_of_that_colour(shop: Shop) -> None:
    shop.configure(more='[tool.expandcontract.roles]\nshop_blue = "blue"\nshop_green = "green"\n')
    with shop.app("shop_blue"):
        refused = shop.project.json("migrate", "contract", code=3)
        (refusal,) = refused["refusals"]
        assert refusal["code"] == "session"
        assert "role shop_blue" in refusal["because"]
        assert "'colour=blue': release 1, which lacks 0002" in refusal["because"]

    with shop.app("shop_green"):
        shop.project.ok("migrate", "contract")
