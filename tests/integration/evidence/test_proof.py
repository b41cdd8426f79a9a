"""Whether anything still refers to what a contract removes, on a real server that counts statements."""

from __future__ import annotations

from tests.fixtures.shop import Shop


def reasons(document: dict[str, object]) -> str:
    return "\n".join(f"{sign['means']} {sign['verdict']}: {sign['because']}" for sign in document["signs"])  # type: ignore[attr-defined]


def test_an_old_worker_that_reads_the_column_once_is_found_and_holds_the_contract(shop: Shop) -> None:
    shop.project.ok("observe")
    shop.watched_for("2 hours")
    assert shop.project.json("prove", "0002")["verdict"] == "clear"

    with shop.app() as worker:
        worker.execute("SELECT id, name FROM users WHERE id = 1")
    seen = shop.project.json("prove", "0002", code=1)
    assert seen["verdict"] == "seen"
    assert "role shop_app on primary names it: SELECT id, name FROM users WHERE id = $1 (1 calls in all" in reasons(
        seen
    )

    shop.project.ok("observe")  # from now on the ledger knows, whatever the server forgets
    refused = shop.project.json("migrate", "contract", code=3)
    assert [refusal["code"] for refusal in refused["refusals"]] == ["referred-to"]
    assert "name" in shop.project.columns("users")

    shop.project.execute("UPDATE ec.statement SET grew_at = grew_at - interval '2 hours'")
    shop.project.ok("migrate", "contract")
    assert "name" not in shop.project.columns("users")
