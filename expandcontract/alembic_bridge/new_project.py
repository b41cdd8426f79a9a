"""A new Alembic project from our template: ordinary Alembic, whose env.py takes its URL from the environment."""

from __future__ import annotations

from argparse import Namespace
from importlib.resources import as_file, files
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from expandcontract.alembic_bridge.chatter import quiet
from expandcontract.errors import UsageError


def make_project(folder: Path, directory: str, *, dry_run: bool = False) -> tuple[str, ...]:
    """
    The files of the new project, relative to `folder`: ``alembic.ini`` and `directory` with its env.py.

    Raises:
        UsageError: something of that name is there already.
    """
    made = ("alembic.ini", f"{directory}/env.py", f"{directory}/script.py.mako", f"{directory}/versions")
    present = [name for name in made if (folder / name).exists()]
    if present:
        raise UsageError(f"{folder / present[0]} exists already", next_command="ec init --directory ANOTHER")
    if dry_run:
        return made
    with as_file(files("expandcontract.alembic_bridge").joinpath("templates")) as templates, quiet():
        config = Config(str(folder / "alembic.ini"), cmd_opts=Namespace(quiet=True))
        config.get_template_directory = lambda: str(templates)  # type: ignore[method-assign]
        try:
            command.init(config, str(folder / directory), template="expandcontract")
        except CommandError as error:
            raise UsageError(str(error)) from None
    return made
