"""Each recipe's file, lived through with both releases writing, and taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fixtures.lifecycle import ChangeInLife, LifeMaker, live, live_and_undo
from tests.fixtures.project import AlembicProject
from tests.fixtures.release_clients import Shape


def users(*columns: str) -> str:
    """A model of users with these columns and constraints beside `id` and `version`."""
    return f"""
users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    {"".join(f"{column}, " for column in columns)}
)
"""


def ec_new(*arguments: str) -> Callable[[AlembicProject], object]:
    """``ec new`` writes the file, and it lints clean."""

    def author(project: AlembicProject) -> None:
        project.ok("new", *arguments, "--rev-id", "0002")
        print(next(project.versions.glob("0002*.py")).read_text())
        project.ok("lint")

    return author


CHANGES = {
    "rename-column": ChangeInLife(
        users(
            'sa.Column("name", sa.Text, nullable=False, server_default="nobody", comment="as they like it")',
            'sa.Column("note", sa.Text)',
            'sa.Index("ix_users_name", "name")',
            'sa.Index("by_note", sa.func.lower(sa.column("name")), "note")',
            'sa.UniqueConstraint("id", "name", name="users_id_name_key")',
            'sa.CheckConstraint("name <> \'\'", name="named")',
        ),
        users(
            'sa.Column("display_name", sa.Text, nullable=False, server_default="nobody", comment="as they like it")',
            'sa.Column("note", sa.Text)',
            'sa.Index("ix_users_display_name", "display_name")',
            'sa.Index("by_note", sa.func.lower(sa.column("display_name")), "note")',
            'sa.UniqueConstraint("id", "display_name", name="users_id_display_name_key")',
            'sa.CheckConstraint("display_name <> \'\'", name="named")',
        ),
        Shape("users", {"name": "'n' || {v}"}),
        Shape("users", {"display_name": "'n' || {v}"}),
        ec_new("rename-column", "users", "name", "display_name"),
    )
}


@pytest.mark.parametrize("name", CHANGES)
def test_nobody_notices(begun: LifeMaker, name: str) -> None:
    with begun(CHANGES[name]) as life:
        live(life)


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_is_left_after_an_undo(begun: LifeMaker, name: str) -> None:
    with begun(CHANGES[name]) as life:
        live_and_undo(life)
