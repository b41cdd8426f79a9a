"""A contract that wants a person's word, from the command line."""

from __future__ import annotations

from tests.fixtures.shop import Shop


def refused(shop: Shop) -> dict[str, str]:
    document = shop.project.json("migrate", "contract", code=3)
    return {refusal["code"]: refusal["because"] for refusal in document["refusals"]}


def test_a_contract_runs_only_as_somebody_approved_it(shop: Shop) -> None:
    shop.configure(more="approval = true")
    assert refused(shop) == {"not-approved": "a person must approve it, and nobody has"}
    approval = ("approve", "0002", "--reason", "seen the proof")

    foreseen = shop.project.json(*approval, "--dry-run")
    assert (foreseen["outcome"], foreseen["step"], foreseen["at"]) == ("done", "contract 0002", None)
    assert refused(shop).keys() == {"not-approved"}

    given = shop.project.json(*approval)
    assert (given["outcome"], given["reason"]) == ("done", "seen the proof")
    again = shop.project.json("approve", "0002", "--reason", "me too")
    assert (again["outcome"], again["person"], again["at"], again["reason"]) == (
        "nothing",
        given["person"],
        given["at"],
        "seen the proof",
    )
    assert "contract approved" in [event["kind"] for event in shop.project.json("log", "0002")["events"]]

    file = next(shop.project.folder.glob("migrations/versions/0002*"))
    text = file.read_text()
    file.write_text(
        text.replace('op.drop_column("users", "name")', 'op.execute("ALTER TABLE users DROP name CASCADE")')
    )
    assert file.read_text() != text
    assert refused(shop).keys() == {"edited", "not-approved"}
    assert {no["code"] for no in shop.project.json(*approval, code=3)["refusals"]} == {"edited"}
    shop.project.ok("amend", "0002", "--reason", "views over it go along")
    assert f"{given['person']} approved it at" in refused(shop)["not-approved"]

    shop.project.ok("approve", "0002", "--reason", "seen that as well")
    shop.project.ok("migrate", "contract")
    assert "name" not in shop.project.columns("users")
    assert "is done" in shop.project.json(*approval, code=2)["error"]["message"]
