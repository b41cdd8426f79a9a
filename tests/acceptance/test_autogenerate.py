"""What autogenerate writes for each kind of difference, lived through with both releases writing, and taken back."""

from __future__ import annotations

import textwrap

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


def test_nobody_notices_that_a_type_is_narrowed(begun: LifeMaker) -> None:
    with begun(NARROWING) as life:
        live(life)


def test_nothing_is_left_of_a_narrowed_type_after_an_undo(begun: LifeMaker) -> None:
    with begun(NARROWING) as life:
        live_and_undo(life)
