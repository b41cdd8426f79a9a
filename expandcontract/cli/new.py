"""``ec new``: a subcommand for each recipe, made from its fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import click

from expandcontract.alembic_bridge.authoring.recipe import Recipe, inputs, title
from expandcontract.alembic_bridge.authoring.recipes import all_recipes
from expandcontract.alembic_bridge.authoring.writer import Place
from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import new as command


class Recipes(click.Group):
    """The recipes as subcommands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The recipes, in the order of names."""
        return list(all_recipes())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The recipe's command, or None."""
        recipe = all_recipes().get(cmd_name)
        return _command(cmd_name, recipe) if recipe else None


@click.group(cls=Recipes, invoke_without_command=True, subcommand_metavar="RECIPE [ARGS]...")
@click.option("--list", "lists", is_flag=True, help="List the recipes, a sentence each.")
@options.as_json
@click.pass_context
def new(context: click.Context, lists: bool, as_json: bool) -> None:
    """
    Write the revision file of a known change, with all its phases.

    The file is made for the tables that the database has today: types, indexes and constraints are read from it.
    Nothing in the database is changed.
    """
    if lists:
        run("new --list", command.recipes, as_json=as_json)
    elif context.invoked_subcommand is None:
        raise click.UsageError("name a recipe; ec new --list has them all", context)


def _command(name: str, recipe: type[Recipe]) -> click.Command:
    """The command of one recipe: its own arguments, then those that all have."""
    parameters = [_parameter(field) for field in inputs(recipe)]
    return click.Command(
        name,
        callback=click.pass_context(_written(recipe)),
        params=[*parameters, *_shared()],
        help=_help(recipe),
        short_help=title(recipe),
    )


def _help(recipe: type[Recipe]) -> str:
    places = [field for field in inputs(recipe) if "is_option" not in field.metadata]
    arguments = "\n".join(f"  {field.name.upper():<12} {field.metadata['help']}" for field in places)
    return f"{inspect.cleandoc(recipe.__doc__ or '')}\n\n\b\nArguments:\n{arguments}"


def _parameter(field: Any) -> click.Parameter:
    is_many = str(field.type).startswith("tuple")
    if "is_option" not in field.metadata:
        return click.Argument([field.name], nargs=-1 if is_many else 1, required=True)
    is_flag = field.type == "bool"
    metavar = None if is_flag else field.metadata["metavar"] or field.name.upper()
    return click.Option(
        [f"--{field.name.replace('_', '-')}", field.name],
        default=field.default,
        help=field.metadata["help"],
        is_flag=is_flag,
        metavar=metavar,
        multiple=is_many,
    )


def _shared() -> list[click.Parameter]:
    """The options of every recipe; a fresh set, for click keeps state in them."""

    @click.option("-m", "--message", help="The change's title, instead of the recipe's own.")
    @click.option("--rev-id", metavar="ID", help="The revision's id, instead of a random one.")
    @click.option("--head", default="head", show_default=True, help="The revision that it comes after.")
    @click.option("--version-path", metavar="FOLDER", help="Where the file goes, among several version locations.")
    @click.option("--contract-after", metavar="DURATION", help="The change's rollback window, as 14d.")
    @options.dry_run
    @options.as_json
    def shared() -> None: ...

    return list(reversed(shared.__click_params__))  # type: ignore[attr-defined]


def _written(recipe: type[Recipe]) -> Callable[..., None]:
    own = [field.name for field in inputs(recipe)]

    def callback(context: click.Context, /, **given: Any) -> None:
        values = {field: given.pop(field) for field in own}
        place = Place(head=given["head"], rev_id=given["rev_id"], version_path=given["version_path"])
        settings = options.settings_of(context)

        def work() -> command.NewResult:
            return command.new(
                settings,
                recipe(**values),
                place=place,
                message=given["message"],
                contract_after=given["contract_after"],
                dry_run=given["dry_run"],
            )

        run("new", work, as_json=given["as_json"])

    return callback


@result_text.register
def _(result: command.NewResult) -> str:
    if result.dry_run:
        return result.text.rstrip("\n")
    return lines([f"wrote {result.path}", f"next: read it, then ec lint {result.revision} and ec migrate expand"])


@result_text.register
def _(result: command.RecipesResult) -> str:
    width = max(len(recipe.name) for recipe in result.recipes)
    return lines(f"{recipe.name:<{width}}  {recipe.title}" for recipe in result.recipes)
