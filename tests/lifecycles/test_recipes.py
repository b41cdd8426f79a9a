"""Each recipe's file, lived through with both releases writing, and taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expandcontract.alembic_bridge.authoring.recipes import all_recipes
from tests.fixtures.lifecycle import LifeMaker, live, live_and_undo
from tests.lifecycles.recipes import CHANGES

MODELS_LACK_SOMETHING = {"add-partitioned-index"}  # the partitions


def test_each_recipe_has_its_story() -> None:
    assert {name.split()[0] for name in CHANGES} == set(all_recipes())


@pytest.mark.parametrize("name", CHANGES)
def test_nobody_notices(begun: LifeMaker, name: str) -> None:
    with begun(replace(CHANGES[name], compares=name not in MODELS_LACK_SOMETHING)) as life:
        live(life)


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_is_left_after_an_undo(begun: LifeMaker, name: str) -> None:
    with begun(CHANGES[name]) as life:
        live_and_undo(life)
