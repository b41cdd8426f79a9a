"""``ec revision``: the file that it writes in projects that are set up in their own way."""

from __future__ import annotations

import sys

import pytest

from tests.fixtures.lifecycle import ENV, MODELS
from tests.fixtures.project import AlembicProject

TABLE = """
{name} = sa.Table(
    "{name}", metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    {columns}
)
"""


@pytest.fixture
def modelled(project: AlembicProject) -> AlembicProject:
    """A project with models of two tables, which its database has."""
    project.write("migrations/env.py", ENV)
    write_models(project, users='sa.Column("name", sa.Text),', orders='sa.Column("note", sa.Text),')
    project.ok("revision", "--autogenerate", "-m", "begin", "--rev-id", "aaa1")
    project.ok("migrate", "all")
    return project


def write_models(project: AlembicProject, **tables: str) -> None:
    project.write("models.py", MODELS + "".join(TABLE.format(name=name, columns=tables[name]) for name in tables))


def test_without_differences_there_is_no_file(modelled: AlembicProject) -> None:
    before = sorted(modelled.versions.iterdir())
    assert modelled.json("revision", "--autogenerate", "-m", "nothing")["outcome"] == "nothing"
    assert sorted(modelled.versions.iterdir()) == before


def test_a_dry_run_prints_the_file_and_writes_none(modelled: AlembicProject) -> None:
    write_models(
        modelled, users='sa.Column("name", sa.Text), sa.Column("nick", sa.Text),', orders='sa.Column("note", sa.Text),'
    )
    before = modelled.snapshot(), sorted(modelled.versions.iterdir())
    ran = modelled.ok("revision", "--autogenerate", "-m", "nick", "--dry-run")
    assert 'op.add_column("users", sa.Column("nick", sa.Text(), nullable=True))' in ran.stdout
    assert (modelled.snapshot(), sorted(modelled.versions.iterdir())) == before


def test_where_two_tables_are_filled_there_are_two_files(modelled: AlembicProject) -> None:
    write_models(
        modelled,
        users='sa.Column("name", sa.Text, nullable=False, default="nobody"),',
        orders='sa.Column("note", sa.Text, nullable=False, default="none"),',
    )
    modelled.execute("INSERT INTO users (name) VALUES (NULL)", "INSERT INTO orders (note) VALUES (NULL)")
    first, second = modelled.json("revision", "--autogenerate", "-m", "required", "--contract-after", "3d")["files"]
    assert f'down_revision = "{first["revision"]}"' in second["text"]
    assert 'contract_after = "3d"' in first["text"]
    modelled.ok("migrate", "all")
    assert modelled.alembic("check").code == 0
    assert modelled.rows("SELECT name, note FROM users, orders") == [("nobody", "none")]


def test_a_rename_is_offered_as_a_recipe(modelled: AlembicProject) -> None:
    write_models(modelled, users='sa.Column("display_name", sa.Text),', orders='sa.Column("note", sa.Text),')
    ran = modelled.ok("revision", "--autogenerate", "-m", "rename", "--dry-run")
    assert "ec new rename-column users name display_name" in ran.stderr


def test_a_database_that_is_behind_is_not_compared(modelled: AlembicProject) -> None:
    modelled.ok("revision", "-m", "by hand")
    ran = modelled.ec("revision", "--autogenerate", "-m", "too early")
    assert ran.code == 2
    assert "ec migrate expand" in ran.stderr


def test_the_projects_own_way_holds(modelled: AlembicProject) -> None:
    """File names, version locations, naming conventions, render_item, template arguments, hooks."""
    modelled.write(
        "alembic.ini",
        f"""\
        [alembic]
        script_location = migrations
        prepend_sys_path = .
        path_separator = newline
        version_locations =
            migrations/versions
            migrations/more
        file_template = %%(rev)s-%%(slug)s
        revision_environment = true

        [post_write_hooks]
        hooks = mark
        mark.type = exec
        mark.executable = {sys.executable}
        mark.options = -c "import sys; open(sys.argv[1], 'a').write('# the hook was here')" REVISION_SCRIPT_FILENAME
        """,
    )
    env = (modelled.folder / "migrations/env.py").read_text()
    modelled.write(
        "migrations/env.py",
        "def own(kind, item, context):\n"
        "    if kind == 'type' and isinstance(item, sa.Uuid):\n"
        "        context.imports.add('import uuids')\n"
        "        return 'uuids.Uuid()'\n"
        "    return False\n\n\n"
        + env.replace("target_metadata=", "render_item=own, template_args={'team': 'shop'}, target_metadata=").replace(
            "import os\n", "import os\n\n", 1
        ),
    )
    modelled.write("uuids.py", "from sqlalchemy import Uuid\n")
    template = modelled.folder / "migrations/script.py.mako"
    template.write_text(template.read_text().replace("\nrevision = ", "\nteam = ${repr(team)}\nrevision = "))
    convention = "metadata.naming_convention = {'uq': 'uq_%(table_name)s_%(column_0_name)s'}\n"
    write_models(
        modelled,
        users='sa.Column("name", sa.Text), sa.Column("ref", sa.Uuid, unique=True),',
        orders='sa.Column("note", sa.Text),',
    )
    models = modelled.folder / "models.py"
    models.write_text(models.read_text().replace("\nusers", f"\n{convention}\nusers", 1))

    place = ("--rev-id", "bbb2", "--version-path", "migrations/more")
    (written,) = modelled.json("revision", "--autogenerate", "-m", "own ways", *place)["files"]
    empty = modelled.json("revision", "-m", "by hand", "--head", "bbb2", "--version-path", "migrations/more")["files"][
        0
    ]

    assert written["path"].endswith("migrations/more/bbb2-own_ways.py")
    for expected in ("import uuids\n", "uuids.Uuid()", "uq_users_ref", "team = 'shop'", "# the hook was here"):
        assert expected in written["text"], written["text"]
    assert "team = 'shop'" in empty["text"]
    modelled.ok("migrate", "all")
    assert modelled.alembic("check").code == 0


def test_what_makes_no_sense_is_refused(modelled: AlembicProject) -> None:
    for arguments in (
        ("-m", "x", "--head", "nowhere"),
        ("some", "words"),
        ("--merge", "--autogenerate"),
        ("-m", "x", "--version-path", "elsewhere"),
    ):
        assert modelled.ec("revision", *arguments).code == 2
