"""What a recipe is: the arguments that a known change needs, and how they become a `Draft`."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any, ClassVar

from expandcontract.alembic_bridge.authoring.draft import Draft
from expandcontract.alembic_bridge.authoring.live_tables import LiveTables
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class Example:
    """
    A use of the recipe for its page: what stands on the command line, and the tables that it is shown on.

    ``model`` is what changes in the new release's models, in Python; empty where the command says it all.
    """

    arguments: str
    tables: str
    model: str = ""


class Recipe:
    """
    A change that is known: each has a file in `recipes`, whose name is the recipe's.

    A subclass is a frozen dataclass whose fields are made by `argument` and `option`. Its docstring's first line is the
    sentence that lists it, the rest says when to use it.
    """

    example: ClassVar[Example]
    locks: ClassVar[str]  # what it locks, and what else it costs; a paragraph of its page

    def draft(self, tables: LiveTables) -> Draft:
        """
        The change on these tables.

        Raises:
            UsageError: there is no such table or column, or the recipe doesn't fit it.
        """
        raise NotImplementedError


def argument(help_: str) -> Any:
    """A field that the command line takes by its place; a tuple takes all the rest."""
    return field(metadata={"help": help_})


def option(help_: str, default: Any = None, *, metavar: str = "") -> Any:
    """A field that the command line takes by its name; a tuple may be given again and again."""
    return field(default=default, metadata={"help": help_, "metavar": metavar, "is_option": True})


def inputs(recipe: type[Recipe]) -> tuple[Field[Any], ...]:
    """The fields, arguments first."""
    return fields(recipe)  # type: ignore[arg-type]  # each is a dataclass


def title(recipe: type[Recipe]) -> str:
    """The sentence that lists it."""
    return (recipe.__doc__ or "").strip().splitlines()[0]


def pairs(option_name: str, texts: tuple[str, ...]) -> dict[str, str]:
    """
    ``("a=b + c",)`` as ``{"a": "b + c"}``.

    Raises:
        UsageError: a text has no ``=``.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (equals and name.strip() and value.strip()):
            raise UsageError(f"{option_name} takes NAME=EXPRESSION, not {text!r}")
        found[name.strip()] = value.strip()
    return found
