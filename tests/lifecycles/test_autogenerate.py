"""What autogenerate writes for each kind of difference, lived through with both releases writing, and taken back."""

from __future__ import annotations

import textwrap

import pytest

from tests.fixtures.lifecycle import ChangeInLife, LifeMaker, live, live_and_undo
from tests.fixtures.project import AlembicProject
from tests.fixtures.release_clients import Shape

# Nearly every kind of difference at once: a change of its own for each would be as many databases.
BEFORE = """
people = sa.Table("people", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("score", sa.Integer, nullable=False),
    sa.Column("note", sa.Text, server_default="old"),
    sa.Column("level", sa.Integer, nullable=False, server_default="1"),
    sa.Column("code", sa.Text),
    sa.Column("slug", sa.Text, unique=True),
    sa.Column("boss_id", sa.BigInteger),
    sa.Column("owner_id", sa.BigInteger, sa.ForeignKey("people.id")),
    sa.Column("friend_id", sa.BigInteger, sa.ForeignKey("people.id")),
    sa.Column("words", sa.Text),
    sa.Index("ix_users_words", "words"),
    sa.Index("ix_users_note", "note"),
    sa.Index("ix_users_name", "name"),
    comment="who is here",
)
profiles = sa.Table(
    "profiles", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), index=True),
)
"""
AFTER = """
people = sa.Table("people", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("email", sa.Text, nullable=False, default="nobody"),
    sa.Column("score", sa.Integer),
    sa.Column("note", sa.Text, server_default="new", comment="what is said of them"),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("code", sa.Text, unique=True),
    sa.Column("slug", sa.Text),
    sa.Column("boss_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="SET NULL")),
    sa.Column("friend_id", sa.BigInteger),
    sa.Column("words", sa.Text),
    sa.Column("nick", sa.Text),
    sa.Column("plan", sa.Text, nullable=False, server_default="free"),
    sa.Column("rank", sa.Integer, nullable=False, default=3),
    sa.Column("token", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
    sa.Column("mood", sa.Enum("fair", "foul", name="mood"), index=True),
    sa.Index("ix_users_words", "words", "version"),
    sa.Index("ix_users_email", "email", unique=False),
    comment="who was here",
)
orders = sa.Table(
    "orders", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), index=True),
    sa.Column("state", sa.Enum("open", "paid", name="state"), nullable=False),
)
"""
UNIQUE = "gen_random_uuid()::text"
SHARED = {"code": UNIQUE, "slug": UNIQUE, "level": "2", "boss_id": "NULL::bigint", "words": "'w' || {v}"}
OLD = Shape(
    "users",
    {"name": "'n' || {v}", "email": "NULL", "score": "7", "note": "'o'", "friend_id": "NULL::bigint", **SHARED},
    right="words = 'w' || version AND level = 2",
)
NEW = Shape(
    "users",
    {
        "email": "'e' || {v}",
        "score": "NULL::integer",
        "nick": "'k' || {v}",
        "rank": "4",
        "mood": "'fair'::mood",
        **SHARED,
    },
    right="words = 'w' || version AND level = 2 AND plan = 'free' AND rank IN (3, 4)",
)


def author(project: AlembicProject) -> None:
    env = (project.folder / "migrations/env.py").read_text()
    project.write("migrations/env.py", env.replace("target_metadata=", "compare_server_default=True, target_metadata="))
    written = project.json("revision", "--autogenerate", "-m", "everything")["files"]
    assert [file["undecided"] for file in written] == [0]


EVERYTHING = ChangeInLife(textwrap.dedent(BEFORE), textwrap.dedent(AFTER), OLD, NEW, author, filled_by_code=True)


def test_nobody_notices_anything(begun: LifeMaker) -> None:
    with begun(EVERYTHING) as life:
        live(life)
        again = life.new.ok("revision", "--autogenerate", "-m", "nothing", "--json")
        assert again.json["outcome"] == "nothing"


def test_nothing_is_left_after_an_undo(begun: LifeMaker) -> None:
    with begun(EVERYTHING) as life:
        live_and_undo(life)


# What changes under its name, checks, and what a person must decide.
BEFORE_2 = """
people = sa.Table("people", metadata, sa.Column("id", sa.BigInteger, primary_key=True), comment="them")
users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("place", sa.Text),
    sa.Column("owner_id", sa.BigInteger),
    sa.Column("size", sa.Integer),
    sa.Column("mood", sa.Enum("fair", "foul", name="mood")),
    sa.Column("label", sa.String(20)),
    sa.Column("level", sa.Integer, nullable=False, server_default="1"),
    sa.Column("serial", sa.BigInteger, sa.Identity()),
    sa.UniqueConstraint("code", name="uq_users_code"),
    sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name="fk_users_owner"),
    sa.CheckConstraint("size > 0", name="size_positive"),
    sa.CheckConstraint("level > 0", name="level_positive"),
    sa.Index("ix_users_place", "place"),
)
"""
AFTER_2 = """
people = sa.Table("people", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("code", sa.Text),
    sa.Column("place", sa.Text),
    sa.Column("owner_id", sa.BigInteger),
    sa.Column("size", sa.Integer),
    sa.Column("label", sa.String(40)),
    sa.Column("level", sa.Integer, nullable=False),
    sa.Column("serial", sa.BigInteger, sa.Identity(increment=2)),
    sa.Column("tag", sa.Text, unique=True),
    sa.Column("must", sa.Text, nullable=False),
    sa.UniqueConstraint("code", "place", name="uq_users_code"),
    sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name="fk_users_owner", ondelete="CASCADE"),
    sa.CheckConstraint("size < 100", name="size_limited"),
    sa.Index("ix_users_place", sa.text("lower(place)")),
    sa.Index("ix_users_size_code", "size", "code", unique=True),
)
"""
SHARED_2 = {"code": UNIQUE, "place": "'p' || {v}", "size": "5", "label": "'l'", "level": "2"}
OLD_2 = Shape("users", {"mood": "'fair'::mood", **SHARED_2}, right="place = 'p' || version AND level = 2")
NEW_2 = Shape(
    "users",
    {"tag": UNIQUE, "must": "'m' || {v}", **SHARED_2},
    right="place = 'p' || version AND level = 2 AND must IS NOT NULL",
)


def decide(project: AlembicProject) -> None:
    """With checks compared, which Alembic does where it is asked to, and everything undecided left as it is."""
    env = (project.folder / "migrations/env.py").read_text()
    plugins = '["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"]'
    own = f"compare_server_default=True, autogenerate_plugins={plugins}, target_metadata="
    project.write("migrations/env.py", env.replace("target_metadata=", own))
    (written,) = project.json("revision", "--autogenerate", "-m", "the rest")["files"]
    lint = project.json("lint", "--since-revision", "0001", code=1)
    asked = [finding["message"] for finding in lint["findings"] if finding["rule"] == "undecided"]
    assert len(asked) == written["undecided"] == 3, asked


THE_REST = ChangeInLife(textwrap.dedent(BEFORE_2), textwrap.dedent(AFTER_2), OLD_2, NEW_2, decide)


@pytest.mark.long
def test_nobody_notices_the_rest(begun: LifeMaker) -> None:
    with begun(THE_REST) as life:
        live(life)
        again = life.new.ok("revision", "--autogenerate", "-m", "nothing", "--json")
        assert again.json["outcome"] == "nothing"


@pytest.mark.long
def test_nothing_is_left_of_the_rest_after_an_undo(begun: LifeMaker) -> None:
    with begun(THE_REST) as life:
        live_and_undo(life)


# A column whose type changes is replaced by another, and the models say which.
INTEGER = """
users = sa.Table(
    "users", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("points", sa.BigInteger, nullable=False, index=True),
)
"""
NARROWED = INTEGER.replace('"points", sa.BigInteger', '"points", sa.Integer')
REPLACED = NARROWED.replace('"points", sa.Integer', '"points_integer", sa.Integer')


def narrow(project: AlembicProject) -> None:
    models = project.folder / "models.py"
    replaced = models.read_text()
    models.write_text(replaced.replace("points_integer", "points"))
    (written,) = project.json("revision", "--autogenerate", "-m", "narrow")["files"]
    models.write_text(replaced)
    assert written["undecided"] == 1


NARROWING = ChangeInLife(
    textwrap.dedent(INTEGER),
    textwrap.dedent(REPLACED),
    Shape("users", {"points": "{v} * 2"}),
    Shape("users", {"points_integer": "{v}::integer * 2"}),
    narrow,
)


@pytest.mark.long
def test_nobody_notices_that_a_type_is_narrowed(begun: LifeMaker) -> None:
    with begun(NARROWING) as life:
        live(life)


@pytest.mark.long
def test_nothing_is_left_of_a_narrowed_type_after_an_undo(begun: LifeMaker) -> None:
    with begun(NARROWING) as life:
        live_and_undo(life)
