"""What the models of a real project map, read by its env.py offline, and the contracts that forget them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from expandcontract.alembic_bridge.models import mapped_columns
from expandcontract.alembic_bridge.project import open_project
from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.alembic_bridge.rendering import render_tree
from expandcontract.commands.lint_tree import lint_tree
from expandcontract.lint import Finding
from expandcontract.lint.settings import Settings
from tests.lint.test_revisions import upgrade, write_revision

MODELS = """
from sqlalchemy import BigInteger, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    called: Mapped[str] = mapped_column("name", Text)

class Order(Base):
    __tablename__ = "Order"
    __table_args__ = {"schema": "shop"}
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
"""
ENV = """
from pathlib import Path
from alembic import context
exec(Path({models!r}).read_text())
if context.is_offline_mode():
    context.configure(url="postgresql+psycopg://nowhere.invalid/none", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    raise RuntimeError("a database was asked for")
"""
ONLINE = """
from alembic import context
import sqlalchemy as sa
engine = sa.create_engine("postgresql+psycopg://postgres@127.0.0.1:1/none")
with engine.connect() as connection:
    context.configure(connection=connection)
"""
FIRST = """
op.execute("CREATE SCHEMA shop")
op.create_table("users", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("name", sa.Text), sa.Column("email", sa.Text))
op.create_table("Order", sa.Column("id", sa.BigInteger, primary_key=True), schema="shop")
"""
CONTRACT = "def upgrade():\n    pass\n\n\ndef contract():\n    {0}\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "models.txt").write_text(MODELS)
    (tmp_path / "env.py").write_text(ENV.format(models=str(tmp_path / "models.txt")))
    (tmp_path / "alembic.ini").write_text(f"[alembic]\nscript_location = {tmp_path}\n")
    write_revision(tmp_path, "first", None, upgrade(FIRST))
    return tmp_path


def linted(tree: Path) -> list[Finding]:
    project = open_project(ProjectOptions((str(tree / "alembic.ini"),)))
    revisions = render_tree(project.script)
    report = lint_tree(revisions, Settings(), today=date(2026, 1, 1), models=lambda: mapped_columns(project))
    return list(report.findings)


def about_models(tree: Path) -> list[str]:
    return [
        each.statement for each in linted(tree) if each.rule == "mapped-column-removed" and each.severity == "error"
    ]


def test_columns_are_known_by_their_names_in_the_database(tree: Path) -> None:
    models = mapped_columns(open_project(ProjectOptions((str(tree / "alembic.ini"),))))

    assert models.columns == {(("users",), "id"), (("users",), "name"), (("shop", "Order"), "id")}
    assert models.unknown is None


@pytest.mark.parametrize(
    "removal",
    [
        'op.drop_column("users", "name")',
        'op.drop_column("Order", "id", schema="shop")',
        'op.drop_table("users")',
    ],
)
def test_a_contract_may_not_remove_what_is_mapped(tree: Path, removal: str) -> None:
    write_revision(tree, "second", "first", CONTRACT.format(removal))

    assert len(about_models(tree)) == 1


def test_a_contract_may_remove_what_is_mapped_no_more(tree: Path) -> None:
    write_revision(tree, "second", "first", CONTRACT.format('op.drop_column("users", "email")'))

    assert about_models(tree) == []


def test_a_column_that_came_back_later_is_another_one(tree: Path) -> None:
    write_revision(tree, "second", "first", CONTRACT.format('op.drop_column("users", "name")'))
    write_revision(tree, "third", "second", upgrade('op.add_column("users", sa.Column("name", sa.Text))'))

    assert about_models(tree) == []


def test_an_env_py_that_needs_a_database_is_noted(tree: Path) -> None:
    (tree / "env.py").write_text(ONLINE)
    write_revision(tree, "second", "first", CONTRACT.format('op.drop_column("users", "name")'))

    (note,) = [each for each in linted(tree) if each.path and each.path.endswith("env.py")]

    assert (note.rule, str(note.severity)) == ("not-analysed", "note")
    assert "which columns the models map isn't known: env.py doesn't run offline" in note.message


def test_env_py_is_left_alone_where_nothing_is_removed(tree: Path) -> None:
    (tree / "env.py").write_text("raise RuntimeError('nobody asked')")

    assert [each for each in linted(tree) if "models" in each.message] == []


@pytest.mark.parametrize(
    ("removal", "count"),
    [
        ("op.alter_column('users', 'name', new_column_name='called')", 1),
        ("op.alter_column('users', 'email', new_column_name='mail')", 0),
        ("op.rename_table('users', 'people')", 1),
        ("op.execute('ALTER TABLE users SET SCHEMA shop')", 1),
        ("op.rename_table('users', 'people'); op.execute('CREATE VIEW users AS SELECT * FROM people')", 0),
    ],
)
def test_a_contract_that_renames_what_the_models_map(tree: Path, removal: str, count: int) -> None:
    write_revision(tree, "second", "first", CONTRACT.format(removal))

    assert len(about_models(tree)) == count
