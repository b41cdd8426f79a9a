"""The reference says what the code says: nothing is missing, nothing is stale, and a stale page is noticed."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from expandcontract.domain.refusal import Code
from expandcontract.errors import ExitCode
from tests.docs.transcripts import ROOT
from tools import build_reference
from tools.build_reference import PARTS, commands, rendered, variable_of

REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def options() -> Iterator[tuple[str, click.Option]]:
    for documented in commands():
        for option in documented.command.params:
            if isinstance(option, click.Option) and not option.hidden:
                yield documented.words, option


def test_the_generated_parts_are_fresh() -> None:
    check = subprocess.run(
        [sys.executable, "tools/build_reference.py", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert check.returncode == 0, check.stderr


def test_a_stale_part_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = page("exit-codes").replace("| 130 | INTERRUPTED", "| 131 | INTERRUPTED")
    (tmp_path / "exit-codes.md").write_text(stale, encoding="utf-8")
    monkeypatch.setattr(build_reference, "DOCS", tmp_path)
    monkeypatch.setattr(build_reference, "ROOT", tmp_path)

    assert build_reference.main(["--check"]) == 1
    assert (tmp_path / "exit-codes.md").read_text(encoding="utf-8") == stale
    assert build_reference.main([]) == 0
    assert build_reference.main(["--check"]) == 0
    assert (tmp_path / "exit-codes.md").read_text(encoding="utf-8") == page("exit-codes")


def test_what_is_written_by_hand_stays() -> None:
    before = "by hand\n\n<!-- generated: outcomes -->\nold\n<!-- end of generated -->\n\nby hand too\n"

    assert rendered(before).startswith("by hand\n")
    assert rendered(before).endswith("\n\nby hand too\n")
    assert "old" not in rendered(before)


def test_each_generated_part_has_its_place() -> None:
    places = [
        name
        for path in (ROOT / "docs").rglob("*.md")
        for name in re.findall(r"<!-- generated: ([\w-]+) -->", path.read_text(encoding="utf-8"))
    ]

    assert sorted(places) == sorted(PARTS)


def test_every_command_is_in_the_reference_with_a_text() -> None:
    for documented in commands():
        assert documented.command.help, documented.words
        assert f"## {documented.words}\n" in page("commands")


def test_every_option_has_help_and_is_in_the_reference() -> None:
    parts = re.split(r"^## ", page("commands"), flags=re.MULTILINE)[1:]
    sections = {part.partition("\n")[0]: part for part in parts}
    for words, option in options():
        assert option.help, f"{words} {option.opts[0]}"
        for name in (*option.opts, *option.secondary_opts):
            assert f"`{name}`" in sections[words], f"{words} {name}"


def test_the_help_on_a_terminal_shows_every_command() -> None:
    for documented in commands():
        help_text = documented.command.get_help(documented.context)

        assert documented.words in help_text
        if isinstance(documented.command, click.Group):
            for name in documented.command.list_commands(documented.context):
                assert name in help_text


def test_nothing_in_the_reference_is_unknown_to_the_program() -> None:
    known = {documented.words for documented in commands()}

    assert set(re.findall(r"^## (ec.*)$", page("commands"), re.MULTILINE)) == known


def test_a_variable_in_a_help_text_is_one_that_is_read() -> None:
    configuration = page("configuration")
    for words, option in options():
        variable = variable_of(option)
        if variable and variable != "ALEMBIC_CONFIG":
            assert f"| `{variable}` |" in configuration, f"{words} {option.opts[0]} names {variable}"


def test_every_exit_code_says_what_a_pipeline_should_do() -> None:
    todo = page("exit-codes").partition("## What a pipeline should do")[2]

    assert [int(code) for code in re.findall(r"^\| (\d+) \|", todo, re.MULTILINE)] == [int(code) for code in ExitCode]


def test_every_refusal_code_is_explained() -> None:
    assert set(re.findall(r"^\| `([\w-]+)` \|", page("refusals"), re.MULTILINE)) == {str(code) for code in Code}


def test_every_json_document_has_an_example() -> None:
    leaves = {words.removeprefix("ec ") for words in (one.words for one in commands()) if words != "ec"}
    leaves = {"new" if words.startswith("new ") else words for words in leaves}  # one document for all recipes
    named = {name for heading in re.findall(r"^## (.+)$", page("json"), re.MULTILINE) for name in _commands_of(heading)}

    assert {words for words in leaves if words == "new" or not _is_group(words)} <= named


def _is_group(words: str) -> bool:
    return any(one.words == f"ec {words}" and isinstance(one.command, click.Group) for one in commands())


def _commands_of(heading: str) -> Iterator[str]:
    """``colour deploy, traffic`` are ``colour deploy`` and ``colour traffic``."""
    group = ""
    for name in heading.split(", "):
        first, _, rest = name.partition(" ")
        group = first if rest else group
        yield name
        yield f"{group} {name}"
