"""The server's own word on the statements that ran, as `ec prove` and the gate use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.shop import Shop

PROBE = "shop_probe"


@pytest.fixture
def probing(shop: Shop) -> Iterator[Shop]:
    """The shop with a role for which the server plans, and samples that cover the window."""
    shop.superuser(f"CREATE ROLE {PROBE} IN ROLE shop_app", f"GRANT {PROBE} TO shop_owner")
    try:
        shop.configure("catalog", "statements", more=f'probe_role = "{PROBE}"')
        shop.project.execute("CREATE TABLE teams (id bigint, name text)", "GRANT SELECT ON teams TO shop_app")
        shop.project.ok("observe")
        shop.watched_for("2 hours")
        yield shop
    finally:
        shop.superuser(f"DROP OWNED BY {PROBE}", f"DROP ROLE {PROBE}")


def answers(document: dict[str, Any]) -> dict[str, str]:
    return {one["query"]: one["answer"] for one in document["asked"]}


def test_what_the_parser_only_suspects_the_server_decides(probing: Shop) -> None:
    in_a_join = (
        "SELECT users.id, name FROM users JOIN (SELECT id AS team, name AS title FROM teams) t ON team = users.id"
    )
    of_others = "SELECT title FROM users NATURAL JOIN (SELECT id, name AS title FROM teams) t"
    with probing.app() as worker:
        worker.execute(of_others)
    clear = probing.project.json("prove", "0002")
    assert (clear["verdict"], answers(clear)) == ("clear", {of_others: "spares"})

    with probing.app() as worker:
        worker.execute(in_a_join)
        with worker.cursor().copy("COPY users (id) TO STDOUT") as rows:
            assert len(list(rows.rows())) == 2
    seen = probing.project.json("prove", "0002", code=1)
    assert seen["verdict"] == "seen"
    assert answers(seen) == {of_others: "spares", in_a_join: "touches", "COPY users (id) TO STDOUT": "unknown"}
    assert [sign["because"].split(":")[0] for sign in seen["signs"]] == [
        "role shop_app on primary names it (the server says so)"
    ]
    text = probing.project.ec("prove", "0002").stdout
    assert "the server was asked about 3 statement(s): 1 touch it, 1 don't, 1 can't be planned so" in text
    assert "PostgreSQL plans no such statement: COPY users (id) TO STDOUT" in text

    refused = probing.project.json("migrate", "contract", code=3)
    assert [refusal["code"] for refusal in refused["refusals"]] == ["referred-to"]


@pytest.mark.long
def test_a_contract_goes_by_what_the_server_said_before_it_held_its_locks(probing: Shop) -> None:
    with probing.app() as worker:
        worker.execute("SELECT title FROM users NATURAL JOIN (SELECT id, name AS title FROM teams) t")
    before = probing.project.value("SELECT relacl::text FROM pg_class WHERE relname = 'users'")
    foreseen = probing.project.json("migrate", "contract", "--dry-run")
    assert foreseen["outcome"] == "done"
    (proof,) = foreseen["proofs"]
    assert (proof["step"], proof["verdict"], proof["signs"]) == ("contract 0002", "clear", [])
    planned = probing.project.ec("plan").stdout
    assert "    proof:   clear; it removes users.name" in planned
    assert "        not looked into: replicas: none is configured" in planned
    assert probing.project.value("SELECT relacl::text FROM pg_class WHERE relname = 'users'") == before

    probing.project.ok("migrate", "contract")

    assert "name" not in probing.project.columns("users")


@pytest.mark.long
def test_a_probe_that_cannot_be_is_not_taken_for_silence(probing: Shop) -> None:
    with probing.app() as worker:
        worker.execute("SELECT id FROM users")
    assert probing.project.json("prove", "0002")["verdict"] == "clear"
    assert "probe-role-unusable" not in names(probing)

    probing.superuser(f"REVOKE {PROBE} FROM shop_owner")

    document = probing.project.json("prove", "0002", code=1)
    assert document["verdict"] == "inconclusive"
    assert [sign["because"] for sign in document["signs"]] == [
        f"role {PROBE} can't be the server's probe: ec's own role may not become it (SET ROLE)"
    ]
    refused = probing.project.json("migrate", "contract", code=3)
    assert [refusal["code"] for refusal in refused["refusals"]] == ["unproven"]
    assert "probe-role-unusable" in names(probing)


def names(shop: Shop) -> set[str]:
    return {risk["name"] for risk in shop.project.ec("doctor", "--json").json["risks"]}
