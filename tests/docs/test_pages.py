"""The pages agree with each other and with the code: links, words, commands, Python."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest

from expandcontract.alembic_bridge.project import open_project
from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.alembic_bridge.revisions import read_revisions
from tests.docs.transcripts import ROOT, blocks, pages
from tools.build_reference import commands

PAGES = [*pages(), ROOT / "CONTRIBUTING.md", ROOT / "ARCHITECTURE.md", ROOT / "SECURITY.md"]
IDS = [str(page.relative_to(ROOT)) for page in PAGES]
COMMANDS = {documented.words: documented.command for documented in commands()}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """The page without its fenced blocks and its comments."""
    text = re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def anchors_of(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def missing_links(page: Path) -> list[str]:
    """The links of a page that lead nowhere; addresses of other sites aren't asked."""
    missing = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            missing.append(target)
    return missing


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_resolve(page: Path) -> None:
    assert missing_links(page) == []


def test_a_link_that_leads_nowhere_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# The one heading\n", encoding="utf-8")
    page = tmp_path / "a.md"
    page.write_text("[a](c.md) [b](b.md#the-one-heading) [c](b.md#another) [d](#nothing) [e](b.md)\n", encoding="utf-8")

    assert missing_links(page) == ["c.md", "b.md#another", "#nothing"]


def test_the_map_leads_to_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    rules = ROOT / "docs" / "reference" / "rules" / "index.md"  # leads to its own
    recipes = ROOT / "docs" / "how-to" / "recipes" / "index.md"  # likewise
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in (index, rules, recipes)
        for target in _targets(page)
    }

    assert {page for page in (ROOT / "docs").rglob("*.md") if page != index} <= linked


def _targets(page: Path) -> list[str]:
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)) if "://" not in target]


def invocations(text: str) -> Iterator[str]:
    """Each ``ec …`` in code, inline or in a block, to the end of its line or quotation; outputs aside."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [
        line
        for language, piece in fenced
        for line in piece.splitlines()
        if language != "console" or re.match(r"(\s+\S+ )?\$ |\s*next: ", line)
    ]
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    for piece in [*lines, *inline]:
        yield from re.findall(r"(?:^|(?<=[\s(;|&\"]))ec (?=[a-z-])[^\n`;|&]*", piece)


def unknown(invocation: str) -> str | None:
    """What of an invocation the program doesn't know: a command, or an option."""
    words = invocation.split()[1:]
    while words and words[0] in ("-c", "-n", "-x"):
        words = words[2:]
    name = "ec"
    while words and isinstance(COMMANDS[name], click.Group) and re.fullmatch(r"[a-z][a-z-]*", words[0]):
        below = f"{name} {words.pop(0)}"
        if below not in COMMANDS:
            return below
        name = below
    name += f" {default}" if (default := getattr(COMMANDS[name], "default", None)) else ""
    options = {name for option in COMMANDS[name].params for name in (*option.opts, *option.secondary_opts)}
    for word in words:
        option = re.match(r"--[a-z][a-z-]*", word)
        if option and option[0] not in options | {"--help", "--version"}:
            return f"{name} {option[0]}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_only_commands_and_options_that_exist_are_named(page: Path) -> None:
    assert {invocation: what for invocation in invocations(text_of(page)) if (what := unknown(invocation))} == {}


@pytest.mark.parametrize(
    ("invocation", "what"),
    [
        ("ec migrate expand 0002 --dry-run", None),
        ("ec -c db/alembic.ini plan --json", None),
        ("ec -c db/alembic.ini lint --since main", None),
        ("ec judge", "ec judge"),
        ("ec migrate sideways", "ec migrate sideways"),
        ("ec colour check blue --force", "ec colour check --force"),
    ],
)
def test_what_does_not_exist_is_noticed(invocation: str, what: str | None) -> None:
    assert unknown(invocation) == what


def nouns() -> set[str]:
    found = re.findall(r"^\| (\*\*.+?\*\*) \|", text_of(ROOT / "docs" / "glossary.md"), re.MULTILINE)
    return {noun for cell in found for noun in re.findall(r"\*\*(.+?)\*\*", cell)}


def names_in_the_code() -> set[str]:
    """Every name that the package defines or uses, cut into its words."""
    words: set[str] = set()
    for file in (ROOT / "expandcontract").rglob("*.py"):
        words.add(file.stem)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for field in ("name", "id", "attr", "arg"):
                if isinstance(name := getattr(node, field, None), str):
                    words.update(piece.lower() for piece in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name))
    return words


def test_the_nouns_of_the_glossary_are_the_codes() -> None:
    code = names_in_the_code()
    # concepts that no single name stands for
    without_a_name = {"cutover", "overtake", "traffic"}

    missing = {noun for noun in nouns() if noun not in without_a_name and not set(noun.split()) & (code | {f"{noun}s"})}

    assert len(nouns()) > 25
    assert missing == set()


def test_a_noun_that_is_not_in_the_code_would_be_noticed() -> None:
    assert not {"frobnication", "rollforward"} & names_in_the_code()


def test_the_glossary_has_the_phases_and_states_of_the_code() -> None:
    glossary = text_of(ROOT / "docs" / "glossary.md")

    for phase in ("expand", "backfill", "contract"):
        assert f"`{phase}`" in glossary


def python_blocks(page: Path) -> Iterator[tuple[int, str, str]]:
    """Line, directive and text of each Python block."""
    text = text_of(page)
    for found in re.finditer(r"^(?P<directive>[^\n]*)\n```python\n(?P<code>.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, found.start("code")) + 1, found["directive"], found["code"]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_python_blocks_compile(page: Path) -> None:
    for line, _, code in python_blocks(page):
        compile("\n" * (line - 1) + code, str(page), "exec")


def revision_blocks() -> list[tuple[str, str]]:
    """The blocks that are revision files: those marked so, and those that a story writes among the versions."""
    found = []
    for page in pages():
        for line, directive, code in python_blocks(page):
            if directive == "<!-- revision -->" or re.match(r"<!-- file: .*/versions/", directive):
                found.append((f"{page.relative_to(ROOT)}:{line}", code))
    return found


@pytest.mark.parametrize(("place", "code"), revision_blocks(), ids=[place for place, _ in revision_blocks()])
def test_a_revision_file_is_one_that_ec_can_read(place: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text("", encoding="utf-8")
    (tmp_path / "alembic.ini").write_text(f"[alembic]\nscript_location = {tmp_path}\npath_separator = os\n", "utf-8")
    above = re.search(r'^down_revision = "(\w+)"', code, re.MULTILINE)
    assert above, f"{place} has no down_revision"
    (tmp_path / "versions" / "below.py").write_text(
        f'revision = "{above[1]}"\ndown_revision = None\ndef upgrade(): pass\n', "utf-8"
    )
    (tmp_path / "versions" / "shown.py").write_text(code, encoding="utf-8")

    _, shown = read_revisions(open_project(ProjectOptions(config=(str(tmp_path / "alembic.ini"),))), _two_weeks())

    assert shown.change.title
    assert all(recorded.complete for recorded in shown.recorded.values())


def _two_weeks() -> timedelta:
    return timedelta(days=14)


def test_declarations_outside_revision_files_can_be_made() -> None:
    page = ROOT / "docs" / "how-to" / "rename-a-column.md"
    alone = [code for _, directive, code in python_blocks(page) if not directive.startswith("<!--")]

    assert len(alone) == 4
    for code in alone:
        exec(f"from expandcontract import Backfill, Sync\n{code}", {})


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    groups = [
        project["build-system"]["requires"],
        project["project"]["dependencies"],
        *project["project"].get("optional-dependencies", {}).values(),
        *project.get("dependency-groups", {}).values(),
    ]
    wanted = {re.match(r"[\w-]+", name)[0] for group in groups for name in group if isinstance(name, str)}  # type: ignore[index]
    explained = set(
        re.findall(r"^\|(?: `\w+` \|)? ([\w-]+) \|", text_of(ROOT / "docs" / "explanation" / "dependencies.md"), re.M)
    )

    assert wanted | {"tox"} == explained - {"package", "extra"}


def test_colour_is_spelled_one_way() -> None:
    american = re.compile(r"\bcolors?\b", re.IGNORECASE)

    assert [page for page in pages() if american.search(prose_of(page))] == []


def test_the_changelog_keeps_its_form() -> None:
    text = text_of(ROOT / "CHANGELOG.md")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    kinds = re.findall(r"^### (.+)$", text, re.MULTILINE)

    assert sections[0] == "[Unreleased]"
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_readmes_first_screen_has_a_refusal_and_the_two_commands() -> None:
    first_screen = "\n".join(text_of(ROOT / "README.md").splitlines()[:32])

    assert "refused: contract" in first_screen
    assert "make demo" in first_screen
    assert "make test" in first_screen
    assert blocks(text_of(ROOT / "README.md"))
