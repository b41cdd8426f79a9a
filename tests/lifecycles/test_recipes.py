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


# in `make test`; the others are long
SHORT = ("rename-column", "change-type", "make-not-null", "extract-table")
EACH = [name if name in SHORT else pytest.param(name, marks=pytest.mark.long) for name in CHANGES]


@pytest.mark.parametrize("name", EACH)
def test_nobody_notices(begun: LifeMaker, name: str) -> None:
    with begun(replace(CHANGES[name], compares=name not in MODELS_LACK_SOMETHING)) as life:
        live(life)


@pytest.mark.parametrize("name", EACH)
def test_nothing_is_left_after_an_undo(begun: LifeMaker, name: str) -> None:
    with begun(CHANGES[name]) as life:
        live_and_undo(life)
