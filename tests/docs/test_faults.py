"""The page of faults: each has a number and a test that is there, or the reason why it has none."""

from __future__ import annotations

import ast
import functools
import re

import pytest

from tests.docs.transcripts import ROOT

PAGE = ROOT / "docs" / "explanation" / "faults.md"
FAULTS = re.findall(r"^(\d+)\. (.+?)(?=^\d+\. |^## |\Z)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@functools.cache
def defined_in(file: str) -> frozenset[str]:
    """The tests that a file defines."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def shown_by(text: str) -> list[tuple[str, str]]:
    """The file and name of each test that a fault's text gives."""
    return [(file, name) for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)]


def test_the_faults_are_numbered_without_a_gap() -> None:
    assert [int(number) for number, _ in FAULTS] == list(range(1, 77))


@pytest.mark.parametrize(("number", "text"), FAULTS, ids=[number for number, _ in FAULTS])
def test_a_fault_has_a_test_or_a_reason(number: str, text: str) -> None:
    named = shown_by(text)
    assert named or re.search(r"Not shown.*: |Not shown yet", text), f"fault {number} has neither"
    for file, name in named:
        assert (ROOT / file).is_file(), file
        assert name in defined_in(file), f"{file} has no {name}"


def test_a_test_that_is_not_there_is_noticed() -> None:
    assert "test_nothing" not in defined_in("tests/docs/test_faults.py")
    assert shown_by("x `tests/a/b.py::test_c`\n `tests/d.py`") == [("tests/a/b.py", "test_c")]
