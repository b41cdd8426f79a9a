"""The reference pages against the rules they come from."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from expandcontract.lint.catalogue import all_rules
from tests.lint.lint_corpus import rows

ROOT = Path(__file__).parent.parent.parent


def test_the_index_and_the_pages_are_fresh() -> None:
    tool = runpy.run_path(str(ROOT / "tools" / "build_rule_pages.py"))

    assert tool["stale"]() == [], "run: python tools/build_rule_pages.py"


@pytest.mark.parametrize("name", ["lint.md"])
def test_the_how_to_names_only_rules_that_exist(name: str) -> None:
    text = (ROOT / "docs" / "how-to" / name).read_text()
    linked = {part.split(".md")[0] for part in text.split("../reference/rules/")[1:]} - {"index"}

    assert linked <= set(all_rules())


def test_every_name_in_the_corpus_is_a_rule() -> None:
    named = {name for row in rows("lint_corpus.jsonl") for name in [*row["hazards"], *row.get("tolerate", ())]}

    assert named <= set(all_rules())
