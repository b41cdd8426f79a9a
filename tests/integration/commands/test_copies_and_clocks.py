"""A restored or cloned database, and clocks that are wrong."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import expandcontract
from expandcontract.proof.installation import Installation, choose_installation, find_installations
from expandcontract.proof.scratch_server import ScratchServer
from tests.fixtures.http_server import HttpServer, Reply
from tests.fixtures.project import LONGEST, AlembicProject
from tests.fixtures.servers import Database, ram_disk, unavailable, with_parameters

PASSWORD = "nobody-else-knows"


@pytest.fixture
def shop(renaming: AlembicProject) -> AlembicProject:
    """The rename is expanded and filled, green ships it and is live; nothing but a window of no length to wait for."""
    renaming.variables["EC_CONTRACT_AFTER"] = "0s"
    second = renaming.versions / "0002.py"
    second.write_text(second.read_text().replace('contract_after = "14d"', 'contract_after = "0s"'))
    renaming.ok("migrate", "expand")
    renaming.ok("colour", "deploy", "green", "2")
    renaming.ok("backfill")
    renaming.ok("colour", "traffic", "green=100")
    return renaming


@pytest.fixture
def cloned(shop: AlembicProject, database: Database):
    """The shop in a clone of its database."""
    name = f"{database.name}_clone"
    clone, original, owner = map(sql.Identifier, (name, database.name, database.role))
    with psycopg.connect(database.server.admin_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(clone, original, owner))
        shop.dsn = with_parameters(shop.dsn, dbname=name)
        yield shop
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(clone))


def test_a_clone_refuses_its_contracts_until_somebody_adopts_it(cloned: AlembicProject, web: HttpServer) -> None:
    (refusal,) = cloned.json("migrate", "contract", code=3)["refusals"]
    assert refusal["code"] == "copy"
    assert "copy" in {found["code"] for step in cloned.json("plan")["steps"] for found in step["refusals"]}
    assert "is not one of" in cloned.ec("migrate", "contract", "0002", "--override", "copy", "--reason", "x").stderr
    assert cloned.ec("adopt").code == 2

    before = cloned.snapshot()
    assert cloned.json("adopt", "--reason", "staging", "--dry-run")["outcome"] == "done"
    assert cloned.snapshot() == before

    web.replies["/hook"] = Reply("ok")
    adopted = cloned.json("adopt", "--reason", "staging", variables={"EC_WEBHOOK": f"{web.url}/hook"})
    assert [json.loads(asked.body)["command"] for asked in web.asked] == ["adopt"]
    assert adopted["was"] != adopted["now"]
    (event,) = [event for event in cloned.json("log")["events"] if event["kind"] == "adopted"]
    assert event["facts"] == {"was": adopted["was"], "now": adopted["now"], "reason": "staging"}
    assert cloned.json("adopt", "--reason", "again")["outcome"] == "nothing"
    cloned.ok("migrate", "contract")


def test_windows_count_anew_in_an_adopted_database(cloned: AlembicProject) -> None:
    second = cloned.versions / "0002.py"
    second.write_text(second.read_text().replace('contract_after = "0s"', 'contract_after = "1h"'))
    cloned.execute("ALTER TABLE ec.event DISABLE TRIGGER USER", "UPDATE ec.event SET at = at - interval '2 hours'")
    cloned.ok("adopt", "--reason", "restored from the backup of last night")

    (refusal,) = cloned.json("migrate", "contract", code=4)["refusals"]
    assert "the ledger has watched the traffic only since" in refusal["because"]


@pytest.fixture
def restored(shop: AlembicProject, database: Database, tmp_path: Path) -> Iterator[AlembicProject]:
    """The shop in a dump of its database, which was restored into a cluster of its own."""
    tools = next((one for one in reversed(find_installations()) if one.major >= database.major), None)
    if tools is None:
        unavailable(f"no pg_dump on this machine is as new as the server, {database.major}")
    dump = tmp_path / "shop.dump"
    _run(tools, "pg_dump", "--format=custom", f"--file={dump}", f"--dbname={database.superuser_dsn}")
    with ScratchServer(choose_installation(among=[tools]), parent=ram_disk()) as other:
        role, name = sql.Identifier(database.role), sql.Identifier(database.name)
        login = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(PASSWORD))
        with psycopg.connect(other.dsn(), autocommit=True) as admin:
            admin.execute(login)
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER {}").format(name, role))
        _run(tools, "pg_restore", "--exit-on-error", f"--dbname={other.dsn(database.name)}", str(dump))
        shop.dsn = other.dsn(database.name, user=database.role, password=PASSWORD)
        yield shop


def _run(tools: Installation, program: str, *arguments: str) -> None:
    done = subprocess.run([tools.bin_dir / program, *arguments], capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == 0, done.stderr


def test_a_dump_that_was_restored_refuses_its_contracts_until_somebody_adopts_it(restored: AlembicProject) -> None:
    (refusal,) = restored.json("migrate", "contract", code=3)["refusals"]
    assert refusal["code"] == "copy"
    assert "a restored or cloned database" in refusal["because"]
    assert "name" in restored.columns("users")

    adopted = restored.json("adopt", "--reason", "restored from the dump of last night")
    assert adopted["was"].partition(" of ")[2] != adopted["now"].partition(" of ")[2], "another cluster"
    restored.ok("migrate", "contract")
    assert "name" not in restored.columns("users")


def test_the_expand_and_the_check_go_on_in_a_copy(cloned: AlembicProject) -> None:
    cloned.revision("0003", "def upgrade(): ...\n\ndef downgrade(): ...\n", after="0002")
    cloned.ok("migrate", "expand")
    cloned.ok("colour", "check", "green")


LOOK = "INSERT INTO ec.observation (began_at, ended_at, is_known, said) VALUES (now(), now() + '1 day', true, 'x')"
EVENT = "UPDATE ec.event SET at = at + interval '1 day' WHERE id = (SELECT max(id) FROM ec.event)"


@pytest.mark.parametrize("written", [LOOK, EVENT], ids=["a look", "an event"])
def test_a_database_clock_that_went_back_refuses(shop: AlembicProject, written: str) -> None:
    """Whatever was written before it did lies ahead of it then."""
    shop.execute("ALTER TABLE ec.event DISABLE TRIGGER USER", written)

    (refusal,) = [one for one in shop.json("migrate", "contract", code=3)["refusals"] if one["code"] == "clock"]

    assert "it went back" in refusal["because"]
    assert refusal["until"] is not None
    assert "name" in shop.columns("users")


def test_an_identity_that_the_role_may_not_see_is_left_aside(shop: AlembicProject, database: Database) -> None:
    with psycopg.connect(database.superuser_dsn) as admin:
        admin.execute("REVOKE EXECUTE ON FUNCTION pg_catalog.pg_control_system() FROM PUBLIC")

    shop.ok("migrate", "contract")


def test_no_decision_takes_a_clients_clock() -> None:
    """Below the command line, where people speak of their own day, only lint does: when an acceptance expires."""
    asks = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}
    found = set()
    package = Path(expandcontract.__file__).parent
    deciding = ("domain", "database", "alembic_bridge", "backfill", "colours", "evidence", "commands")
    for file in (file for floor in deciding for file in (package / floor).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in asks
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in {"datetime", "date", "time"}
            ):
                found.add(str(file.relative_to(package)))

    assert found == set()
