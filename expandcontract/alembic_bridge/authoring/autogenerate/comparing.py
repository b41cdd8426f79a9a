"""Comparing the models with the database, as ``alembic revision --autogenerate`` does, in the user's own env.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import RevisionContext
from alembic.operations import MigrateOperation
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext, RevisionStep

import expandcontract.alembic_bridge.waiting  # noqa: F401  # registers what leaves waiting contracts out
from expandcontract.alembic_bridge.authoring.autogenerate.surroundings import Surroundings
from expandcontract.alembic_bridge.authoring.draft import flattened
from expandcontract.alembic_bridge.authoring.writer import Place
from expandcontract.alembic_bridge.environment import connection_of, run_in_environment
from expandcontract.alembic_bridge.project import Project
from expandcontract.errors import ConfigurationError

Author = Callable[[Surroundings, MigrationContext, dict[str, Any]], None]


def compare(project: Project, message: str | None, place: Place, author: Author) -> None:
    """
    Call `author` with the differences, while env.py's connection is open.

    It gets them with what surrounds them, what env.py configured, and what env.py gives the template. The user's
    ``process_revision_directives`` has had its say; where it has withdrawn the revision, nothing is called.

    Raises:
        ConfigurationError: Alembic refuses: the database isn't at the newest revision, or there is no
            ``target_metadata``.
    """
    revisions = RevisionContext(project.config, project.script, _arguments(message, place))

    def look(heads: tuple[str, ...], context: MigrationContext) -> Iterable[RevisionStep]:
        _refuse_behind(project, heads)
        revisions.run_autogenerate(heads, context)
        for script in revisions.generated_revisions:
            around = Surroundings(connection_of(context), _metadata_of(context), _differences(script))
            author(around, context, revisions.template_args)
        return ()

    further = {"template_args": revisions.template_args, "revision_context": revisions}
    run_in_environment(project, look, only_looks=True, **further)


def template_arguments(project: Project) -> dict[str, Any]:
    """What env.py gives the template of a revision that isn't compared, where ``revision_environment`` asks for it."""
    arguments: dict[str, Any] = {"config": project.config}
    if str(project.config.get_alembic_option("revision_environment", "false")).lower() == "true":
        run_in_environment(project, lambda _, __: (), only_looks=True, template_args=arguments)
    return arguments


def _metadata_of(context: MigrationContext) -> Sequence[sa.MetaData]:
    given = context.opts.get("target_metadata")
    return (given,) if isinstance(given, sa.MetaData) else tuple(given or ())


def _differences(script: MigrationScript) -> list[MigrateOperation]:
    return [each for upgrade in script.upgrade_ops_list for each in flattened(upgrade.ops)]


def _refuse_behind(project: Project, heads: tuple[str, ...]) -> None:
    newest = set(project.script.get_heads())
    if set(heads) != newest:
        raise ConfigurationError(
            "the database isn't at the newest revision, so a comparison would find what a file says already",
            because=f"it is at {', '.join(sorted(heads)) or 'no revision'}, and the tree's heads are"
            f" {', '.join(sorted(newest)) or 'none'}",
            next_command="ec migrate expand",
        )


def _arguments(message: str | None, place: Place) -> dict[str, Any]:
    return {
        "message": message,
        "autogenerate": True,
        "sql": False,
        "head": place.head,
        "splice": place.splice,
        "branch_label": place.branch_label or None,
        "version_path": place.version_path,
        "rev_id": place.rev_id,
        "depends_on": place.depends_on or None,
    }
