"""``ec new``: write the revision file of a known change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from alembic.runtime.migration import MigrationContext, RevisionStep

from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.alembic_bridge.authoring.recipe import Recipe, title
from expandcontract.alembic_bridge.authoring.recipes import all_recipes
from expandcontract.alembic_bridge.authoring.writer import Place, Written, write
from expandcontract.alembic_bridge.environment import connection_of, run_in_environment
from expandcontract.alembic_bridge.project import open_project
from expandcontract.commands.result import Outcome, Result
from expandcontract.config import Settings


@dataclass(frozen=True, kw_only=True)
class NewResult(Result):
    """The revision file that was written (with `dry_run`: that would be): its id, its path and its text."""

    revision: str
    path: str
    text: str
    dry_run: bool = False


@dataclass(frozen=True)
class Listed:
    """A recipe's name, and the sentence that says what it does."""

    name: str
    title: str


@dataclass(frozen=True, kw_only=True)
class RecipesResult(Result):
    """All recipes."""

    recipes: tuple[Listed, ...]


def new(
    settings: Settings,
    recipe: Recipe,
    *,
    place: Place,
    message: str | None = None,
    contract_after: str | None = None,
    dry_run: bool = False,
) -> NewResult:
    """
    The revision file for `recipe`, made from what the database that env.py connects to has today.

    Args:
        settings: the settings.
        recipe: the change, with its arguments.
        place: where in the history it goes.
        message: its title, instead of the recipe's own.
        contract_after: its rollback window, as ``14d``, instead of the project's.
        dry_run: write nothing.

    Raises:
        UsageError: there is no such table or column, or the recipe doesn't fit it.
        EcError: see `expandcontract.errors`.
    """
    project = open_project(settings.project)
    written: list[Written] = []

    def author(_: tuple[str, ...], context: MigrationContext) -> Iterable[RevisionStep]:
        draft = recipe.draft(LiveTables(connection_of(context)))
        draft = replace(draft, message=message or draft.message, contract_after=contract_after)
        written.append(write(project, draft, place, context, dry_run=dry_run))
        return ()

    run_in_environment(project, author, only_looks=True)
    (one,) = written
    return NewResult(outcome=Outcome.DONE, revision=one.revision, path=str(one.path), text=one.text, dry_run=dry_run)


def recipes() -> RecipesResult:
    """The list."""
    found = tuple(Listed(name, title(recipe)) for name, recipe in all_recipes().items())
    return RecipesResult(outcome=Outcome.DONE, recipes=found)
