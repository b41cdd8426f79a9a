"""What has run, and what waits, keeps its meaning: a file may change its looks, not what it does."""

from __future__ import annotations

import pytest

from tests.fixtures.project import ADD_NOTES, CREATE_USERS, rename_name

RENAME = rename_name(simply=True)


@pytest.fixture
def waiting(project):
    """A project whose rename is expanded and filled, while its contract waits."""
    project.revision("0001", CREATE_USERS, title="create users")
    project.revision("0002", RENAME, after="0001", title="rename")
    project.ok("migrate", "expand")
    project.ok("backfill")
    project.revision("0003", ADD_NOTES, after="0002", title="add notes")
    return project


def edit(project, old: str, new: str) -> None:
    assert old in RENAME
    project.revision("0002", RENAME.replace(old, new), after="0001", title="rename")


HARMLESS = [
    ("def upgrade():", "def upgrade():  # the new column"),
    ("def contract():", 'def contract():\n    """Nobody needs the old one any more."""'),
    ('forward={"display_name": "name"}', 'forward={"display_name": " name -- as it is\\n"}'),
    ("sa.Text", "sa.TEXT"),
    ('op.drop_column("users", "name")', 'op.execute("alter table USERS\\n  drop column NAME /* at last */")'),
    ("backfill = Backfill(sync)", "backfill = Backfill(sync, rate=10)"),
]


@pytest.mark.parametrize(("old", "new"), HARMLESS)
def test_another_look_is_no_edit(waiting, old, new):
    edit(waiting, old, new)

    assert waiting.json("migrate", "expand")["steps"] == ["expand 0003"]
    assert waiting.json("amend", "0002", "--reason", "none")["outcome"] == "nothing"


MEANINGFUL = [
    ("sa.Text", "sa.String(9)", "expand"),
    ('forward={"display_name": "name"}', 'forward={"display_name": "upper(name)"}', "expand and backfill and contract"),
    ("backfill = Backfill(sync)", 'backfill = Backfill("users", set={"display_name": "name"})', "backfill"),
    ('op.drop_column("users", "name")', 'op.execute("ALTER TABLE users DROP COLUMN name CASCADE")', "contract"),
    ("def contract():", "def no_contract():", "contract"),
]


@pytest.mark.parametrize(("old", "new", "phases"), MEANINGFUL)
def test_another_meaning_is_refused_until_somebody_answers_for_it(waiting, old, new, phases):
    edit(waiting, old, new)

    refused = waiting.json("migrate", "expand", code=3)["refusals"]

    assert [(no["step"], no["code"]) for no in refused] == [("expand 0003", "edited")]
    assert f"the file of 0002 (rename) was edited: its {phases} would do something else" in refused[0]["because"]
    assert refused[0]["next"].endswith("ec amend 0002 --reason TEXT")
    codes = {no["code"] for no in waiting.json("plan")["steps"][-1]["refusals"]}
    assert "edited" in codes
    before = waiting.snapshot()
    assert waiting.json("amend", "0002", "--reason", "meant", "--dry-run")["dry_run"]
    assert waiting.snapshot() == before
    amended = waiting.json("amend", "0002", "--reason", "meant")
    assert amended["steps"] == [f"{phase} 0002" for phase in phases.split(" and ")]
    (event,) = waiting.json("log", "0002", "--most", "1")["events"]
    assert (event["kind"], event["facts"]["reason"]) == ("amended", "meant")
    assert waiting.json("migrate", "expand")["steps"] == ["expand 0003"]


def test_a_file_whose_contract_waits_may_not_be_deleted(waiting):
    (waiting.versions / "0002.py").unlink()
    waiting.revision("0003", ADD_NOTES, after="0001", title="add notes")

    refused = waiting.json("migrate", "contract", "0003", code=2)
    assert refused["outcome"] == "failed"
    (no,) = waiting.json("migrate", "expand", code=3)["refusals"]

    assert no["code"] == "old-tree"
    assert "this tree lacks 0002, which the ledger knows as applied; the contract of 0002 still waits" in no["because"]
    assert "what was deleted, bring back" in no["next"]


def test_a_finished_change_may_be_edited_as_one_likes(waiting):
    waiting.ok("migrate", "all")
    edit(waiting, "sa.Text", "sa.String(9)")
    waiting.revision("0004", "def upgrade(): pass\ndef downgrade(): pass\n", after="0003")

    assert waiting.json("migrate", "expand")["steps"] == ["expand 0004"]


def test_a_contract_that_was_rewritten_must_spare_what_has_overtaken_it(waiting):
    waiting.ok("migrate", "expand")
    edit(waiting, 'op.drop_column("users", "name")', 'op.drop_column("users", "notes")')

    refused = waiting.json("amend", "0002", "--reason", "notes are not needed", code=3)["refusals"]

    assert [no["code"] for no in refused] == ["footprint"]
    assert (
        "expand 0003 (add notes) has overtaken this contract as it was, and both touch users.notes"
        in (refused[0]["because"])
    )


def test_parts_that_have_not_run_yet_may_be_mended(project):
    body = """
    def one():
        op.execute("CREATE TABLE one ()")

    def two():
        op.execute("CREATE TABLE two (id nonsense)")

    expand = (one, two)

    def upgrade():
        one()
        two()

    def downgrade():
        pass

    def contract():
        op.drop_table("one")
    """
    project.revision("0001", body, title="two tables")
    assert project.ec("migrate", "expand").code == 7

    project.revision("0001", body.replace("nonsense", "int").replace("TABLE one", "TABLE other"), title="two tables")
    refused = project.json("migrate", "expand", code=3)
    assert (
        "its expand would do something else than the ledger knows, and its expand has begun"
        in (refused["refusals"][0]["because"])
    )
    project.revision("0001", body.replace("nonsense", "int"), title="two tables")
    assert project.json("migrate", "expand")["steps"] == ["expand 0001"]
