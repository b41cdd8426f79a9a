"""Each recipe has its page, and the page is what the recipe says."""

from __future__ import annotations

from pathlib import Path

import pytest

from expandcontract.alembic_bridge.authoring.recipe import inputs, title
from expandcontract.alembic_bridge.authoring.recipes import all_recipes
from tools import build_recipe_pages


def test_the_pages_are_fresh() -> None:
    assert build_recipe_pages.stale() == [], "run: python tools/build_recipe_pages.py"


def test_a_stale_page_is_noticed_and_what_commands_print_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_recipe_pages, "PAGES", tmp_path)

    assert build_recipe_pages.main([]) == 0
    assert build_recipe_pages.main(["--check"]) == 0
    page = tmp_path / "add-index.md"
    page.write_text(page.read_text().replace("--dry-run\n```", "--dry-run\nwhat is printed\n```"))
    assert build_recipe_pages.main(["--check"]) == 0
    page.write_text(page.read_text().replace("## Arguments", "## Parameters"))
    assert build_recipe_pages.stale() == ["add-index.md"]


@pytest.mark.parametrize("name", all_recipes())
def test_a_recipe_explains_itself(name: str) -> None:
    recipe = all_recipes()[name]

    assert title(recipe).endswith(".")
    assert all(field.metadata["help"].endswith(".") for field in inputs(recipe))
    assert recipe.locks.endswith(".")
