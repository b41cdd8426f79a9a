"""
Writes docs/how-to/recipes/ from the recipes; --check only tells whether the pages are fresh.

What the commands in them print isn't written here but by ``python -m tests.docs.transcripts``, and is kept.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from expandcontract.alembic_bridge.authoring.recipe import Recipe, inputs, title
from expandcontract.alembic_bridge.authoring.recipes import all_recipes

PAGES = Path(__file__).parent.parent / "docs" / "how-to" / "recipes"
HEAD = "<!-- Written by tools/build_recipe_pages.py from the recipe's own file. -->\n\n"
_SETUP = "mkdir shop && cd shop && ec init"
_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def pages() -> dict[str, str]:
    """The text of every page by its file name, the commands without what they print."""
    found = {f"{name}.md": HEAD + page(name, recipe) for name, recipe in all_recipes().items()}
    found["index.md"] = HEAD + index()
    return found


def page(name: str, recipe: type[Recipe]) -> str:
    """One recipe: when, the command with its file, what it locks, its arguments."""
    _, _, when = inspect.cleandoc(recipe.__doc__ or "").partition("\n")
    arguments = [
        (f"`--{field.name.replace('_', '-')}`" if "is_option" in field.metadata else f"`{field.name.upper()}`")
        + f" | {field.metadata['help']} |"
        for field in inputs(recipe)
    ]
    tables = recipe.example.tables.replace("'", "'\\''")
    return "\n".join(
        [
            f"# {name}",
            "",
            title(recipe),
            "",
            " ".join(when.split()).replace("--", "\\-\\-"),
            "",
            f"<!-- setup\n$ {_SETUP}\n$ psql \"$EC_DATABASE_URL\" -qc '{tables}'\n-->",
            "```console",
            f"$ ec new {name} {recipe.example.arguments} --rev-id 0001 --dry-run",
            "```",
            "",
            "Each function says what old and new code see once it has run. Without `--dry-run` the file is written.",
            "",
            "## What it locks, and what else it costs",
            "",
            recipe.locks,
            "",
            "## Arguments",
            "",
            "| argument | meaning |",
            "|---|---|",
            *(f"| {argument}" for argument in arguments),
            "",
            f"All options: [`ec new {name}`](../../reference/commands.md#ec-new-{name}).",
            "",
        ]
    )


def index() -> str:
    """The page that lists all recipes."""
    return "\n".join(
        [
            "# Recipes",
            "",
            "A known change is a command: `ec new RECIPE` writes the revision file with all its phases. It reads types,"
            " indexes and constraints from the database that env.py connects to, and changes nothing there.",
            "",
            "| recipe | what it does |",
            "|---|---|",
            *(f"| [{name}]({name}.md) | {title(recipe)} |" for name, recipe in all_recipes().items()),
            "",
            "Then read the file, `ec lint` it, and take it through its phases, as in"
            " [rename a column](../rename-a-column.md).",
            "",
        ]
    )


def without_output(text: str) -> str:
    """The page with the commands alone."""

    def commands(block: re.Match[str]) -> str:
        return "\n".join(["```console", *(line for line in block[1].splitlines() if line.startswith("$ ")), "```"])

    return _CONSOLE.sub(commands, text)


def stale() -> list[str]:
    """The names of pages that are missing, differ, or belong to no recipe."""
    expected = pages()
    written = {path.name: without_output(path.read_text(encoding="utf-8")) for path in PAGES.glob("*.md")}
    return sorted(name for name in expected.keys() | written.keys() if expected.get(name) != written.get(name))


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check return 1 when they are stale."""
    names = stale()
    if "--check" in arguments:
        for name in names:
            sys.stderr.write(f"stale: docs/how-to/recipes/{name}\n")
        return 1 if names else 0
    PAGES.mkdir(parents=True, exist_ok=True)
    expected = pages()
    for name in names:
        if name in expected:
            (PAGES / name).write_text(expected[name], encoding="utf-8")
        else:
            (PAGES / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
