"""
A `Draft` becomes a revision file in the user's project.

Their template, file names, version locations, ``revision_environment`` and post-write hooks hold, for it is Alembic
that writes the file; the phases are fitted into what the template made, so a template needn't know of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError, rev_id

from expandcontract.alembic_bridge.authoring.draft import Draft
from expandcontract.alembic_bridge.authoring.module import fitted
from expandcontract.alembic_bridge.authoring.text import Text, text_of
from expandcontract.alembic_bridge.chatter import quiet
from expandcontract.alembic_bridge.project import Project
from expandcontract.errors import ConfigurationError, UsageError
from expandcontract.whole_file import write_whole

_REVISION = re.compile(r"[^\s\x00-\x1f\x7f\"'/\\]+")


@dataclass(frozen=True)
class Place:
    """Where in the history a new revision goes: what ``alembic revision`` calls the same."""

    head: str | tuple[str, ...] = "head"
    splice: bool = False
    branch_label: tuple[str, ...] = ()
    version_path: str | None = None
    rev_id: str | None = None
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A revision file: its id, where it is (with a dry run: where it would be), and its text."""

    revision: str
    path: Path
    text: str


def write(
    project: Project,
    draft: Draft,
    place: Place,
    context: MigrationContext | None = None,
    *,
    template_arguments: dict[str, Any] | None = None,
    dry_run: bool = False,
) -> Written:
    """
    Write the draft as a new revision of the project.

    Args:
        project: the user's project.
        draft: what the change is to do.
        place: where in the history.
        context: what env.py configured, for its ``render_item``, prefixes and naming conventions; without it,
            Alembic's defaults.
        template_arguments: what env.py gives the template.
        dry_run: write nothing. The post-write hooks, which work on files, then don't run.

    Raises:
        UsageError: Alembic refuses the place: no such head, several heads, a path that isn't a version location.
        ConfigurationError: the template makes nothing that the phases could be fitted into.
    """
    autogenerate = AutogenContext(context or _plain_context(project), autogenerate=False)
    text = text_of(draft, autogenerate)

    def finish(template: Path, module: str) -> str:
        return _fitted(template, module, text)

    return _write(project, draft.message, place, finish, template_arguments or {}, dry_run=dry_run)


def write_empty(
    project: Project,
    message: str | None,
    place: Place,
    *,
    template_arguments: dict[str, Any] | None = None,
    dry_run: bool = False,
) -> Written:
    """
    Write a revision as the template has it, for a person to fill in, or to merge heads.

    Raises:
        UsageError: as for `write`.
    """
    arguments = template_arguments or {}
    return _write(project, message, place, lambda _, module: module, arguments, dry_run=dry_run)


def _write(
    project: Project,
    message: str | None,
    place: Place,
    finish: Callable[[Path, str], str],
    values: dict[str, Any],
    *,
    dry_run: bool,
) -> Written:
    """Let Alembic write the file, with what `finish` makes of the template's text."""
    encoding = project.script.output_encoding
    foreseen: list[tuple[Path, str]] = []
    make = project.script._generate_template

    def make_and_finish(template: Path, path: Path, **values: Any) -> None:
        with TemporaryDirectory() as folder:
            made = Path(folder, "revision.py")
            make(template, made, **values)
            module = finish(template, made.read_text(encoding=encoding))
        foreseen.append((path, module))
        if dry_run:
            raise _Foreseen
        write_whole(path, module, encoding)

    revision = place.rev_id or rev_id()
    if not _REVISION.fullmatch(revision):
        raise UsageError(
            f"{revision!r} can't be a revision's id",
            because="it stands in names of files and in Python; no blanks, quotes, / and \\",
        )
    project.script._generate_template = make_and_finish  # type: ignore[method-assign, assignment]
    try:
        with suppress(_Foreseen):
            _generate(project, message, revision, place, values)
    finally:
        project.script._generate_template = make  # type: ignore[method-assign]
    path, module = foreseen[-1]
    if not dry_run:
        module = path.read_text(encoding=encoding)  # after the hooks
    return Written(revision, path, module)


class _Foreseen(Exception):
    """The text is known, and a dry run ends."""


def _generate(project: Project, message: str | None, revision: str, place: Place, values: dict[str, Any]) -> None:
    with quiet():
        project.script.messaging_opts = {"quiet": True}  # Alembic would tell of a temporary file
        try:
            project.script.generate_revision(
                revision,
                _in_docstring(message),
                refresh=True,
                head=place.head,
                splice=place.splice,
                branch_labels=place.branch_label or None,
                version_path=place.version_path,
                depends_on=place.depends_on or None,
                **{"config": project.config, **values, "upgrades": "", "downgrades": "", "imports": ""},
            )
        except CommandError as error:
            raise UsageError("Alembic refused", because=str(error), next_command="alembic heads") from None


def _in_docstring(message: str | None) -> str | None:
    """As a template's docstring may have it: names of tables are in a title, and may hold what would end it."""
    return message and re.sub(r'(\\|"(?="|$))', r"\\\1", message)


def _fitted(template: Path, module: str, text: Text) -> str:
    try:
        return fitted(module, text)
    except (SyntaxError, ValueError) as error:
        raise ConfigurationError(f"{template} can't carry the phases of a change", because=str(error)) from None


@quiet()
def _plain_context(project: Project) -> MigrationContext:
    """What env.py would configure if it said nothing of rendering."""
    opts = {
        "alembic_module_prefix": "op.",
        "sqlalchemy_module_prefix": "sa.",
        "user_module_prefix": None,
        "script": project.script,
    }
    return MigrationContext.configure(dialect_name="postgresql", opts=opts)
