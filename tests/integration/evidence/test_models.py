"""What the models of releases declare, recorded when they are deployed, and what a contract makes of it."""

from __future__ import annotations

import pytest

from tests.fixtures.shop import Shop

MODELS = """
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("users", metadata, sa.Column("id", sa.BigInteger, primary_key=True), {columns})
sa.Table("name", metadata, sa.Column("users", sa.Text), schema="elsewhere")


class Base:
    metadata = metadata
"""
BOTH = 'sa.Column("name", sa.Text), sa.Column("display_name", sa.Text, key="shown")'
NEW = 'sa.Column("display_name", sa.Text, key="name")'


@pytest.fixture
def mapped(shop: Shop) -> Shop:
    """The shop, where nothing is asked for but what is asked always."""
    shop.configure()
    shop.project.write("old_models.py", MODELS.replace("{columns}", BOTH))
    shop.project.write("new_models.py", MODELS.replace("{columns}", NEW))
    return shop


def later(shop: Shop) -> None:
    """Let two hours pass since the releases had their traffic; the window is one."""
    shop.project.execute("UPDATE ec.release SET last_traffic = last_traffic - interval '2 hours'")


def refused(shop: Shop, *command: str) -> dict[str, str]:
    document = shop.project.json(*(command or ("migrate", "contract")), code=3)
    return {refusal["code"]: refusal["because"] for refusal in document["refusals"]}


def test_a_live_release_that_declares_the_column_holds_the_contract_until_its_window_closes(mapped: Shop) -> None:
    deployed = mapped.project.json("colour", "deploy", "green", "3", "--models", "old_models:metadata")
    assert deployed["tables"] == 2
    assert refused(mapped)["declared"] == "users.name: the models of release 3 declare it, and it is live"
    assert "declared" in refused(mapped, "tombstone", "0002")
    document = mapped.project.json("prove", "0002", code=1)
    (sign,) = [sign for sign in document["signs"] if sign["means"] == "models"]
    assert (sign["verdict"], sign["about"]) == ("seen", "users.name")
    assert "name" in mapped.project.columns("users")

    mapped.project.ok("colour", "deploy", "green", "4", "--models", "new_models:Base")
    assert "the models of release 3 declare it, and it had traffic until" in refused(mapped)["declared"]

    later(mapped)
    assert not [sign for sign in mapped.project.json("prove", "0002", code=1)["signs"] if sign["means"] == "models"]
    mapped.project.ok("tombstone", "0002")
    (no,) = mapped.project.json("colour", "check", "3", "--rollback", code=3)["refusals"]
    assert (no["code"], no["next"]) == ("tombstone", "ec tombstone 0002 --undo")
    assert no["because"] == "the models of release 3 declare public.users.name, which a tombstone keeps from it"
    mapped.project.ok("colour", "check", "4")
    mapped.project.ok("migrate", "contract")
    assert "name" not in mapped.project.columns("users")

    (no,) = mapped.project.json("colour", "check", "3", code=3)["refusals"]
    assert (no["step"], no["code"]) == ("contract 0002", "contracted")
    assert no["because"] == "the models of release 3 declare users.name, which it removed"
    mapped.project.ok("colour", "check", "4")
    back = mapped.project.json("colour", "deploy", "green", "5", "--models", "old_models:Base", code=3)
    assert [no["code"] for no in back["refusals"]] == ["contracted"], "it is live at once"
    mapped.project.execute("ALTER TABLE users ADD COLUMN name text")
    mapped.project.ok("colour", "check", "3")


@pytest.mark.long
def test_whoever_answers_for_it_may_contract_all_the_same(mapped: Shop) -> None:
    mapped.project.ok("colour", "deploy", "green", "3", "--models", "old_models:metadata")
    reason = ("--override", "declared", "--reason", "nothing maps that class any more")
    document = mapped.project.json("migrate", "contract", "0002", *reason)
    assert [refusal["code"] for refusal in document["overridden"]] == ["declared"]


@pytest.mark.long
def test_models_that_nobody_recorded_are_inconclusive_only_where_they_are_asked_for(mapped: Shop) -> None:
    document = mapped.project.json("prove", "0002", code=1)
    unknown = next(words for words in document["unseen"] if words.startswith("the models of these releases"))
    assert unknown.endswith("): 2")
    assert mapped.project.json("migrate", "contract", "--dry-run")["outcome"] == "done"

    mapped.configure("models")
    assert "what the models of release 2 declare isn't known" in refused(mapped)["unproven"]
    mapped.project.ok("colour", "deploy", "green", "4", "--models", "new_models:Base")
    assert "release 2" in refused(mapped)["unproven"]
    later(mapped)
    mapped.project.ok("migrate", "contract")


def test_env_py_has_the_models_where_nobody_names_them(mapped: Shop) -> None:
    env_py = mapped.project.folder / "migrations" / "env.py"
    text = env_py.read_text().replace("target_metadata = None", "target_metadata = metadata")
    env_py.write_text(f"from old_models import metadata\n{text}")

    assert mapped.project.json("colour", "deploy", "green", "3", "--dry-run")["tables"] == 2
    assert mapped.project.rows("SELECT FROM ec.declared") == []
    assert "its models declare 2 table(s)" in mapped.project.ok("colour", "deploy", "green", "3").stdout
    assert refused(mapped).keys() == {"declared"}
    columns = "SELECT columns FROM ec.declared WHERE release = '3' AND relation = 'users'"
    assert mapped.project.value(columns) == ["id", "name", "display_name"]

    env_py.write_text(env_py.read_text().replace("old_models", "new_models"))
    another = mapped.project.json("colour", "deploy", "green", "3", code=2)
    assert another["error"]["message"] == "release 3 is already known with other revisions or models"
