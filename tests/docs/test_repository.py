"""What holds for every file of the repository."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.transcripts import ROOT

PACKAGE = ROOT / "expandcontract"
MODULES = sorted(PACKAGE.rglob("*.py"))


def root_imports(source: str) -> list[int]:
    """The lines that import the package root itself, whose own imports would close a circle."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names) if any(name.name == "expandcontract" for name in names):
                lines.append(node.lineno)
            case ast.ImportFrom(module="expandcontract", level=0):
                lines.append(node.lineno)
    return lines


def test_no_module_imports_the_package_root() -> None:
    guilty = [
        f"{module.relative_to(ROOT)}:{line}"
        for module in MODULES
        if "templates" not in module.parts
        for line in root_imports(module.read_text(encoding="utf-8"))
    ]

    assert len(MODULES) > 50
    assert guilty == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import expandcontract.config\nfrom expandcontract.errors import EcError\n", []),
        ("import os\nimport expandcontract\n", [2]),
        ("from expandcontract import Sync\n", [1]),
        ("def late():\n    from expandcontract import errors\n", [2]),
    ],
)
def test_an_import_of_the_root_is_noticed(source: str, lines: list[int]) -> None:
    assert root_imports(source) == lines


# Written in pieces, so that this file doesn't hold what it looks for.
HOSTS = re.compile(
    "|".join(map(re.escape, ("pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org", "npmjs" + ".com")))
)
PLACES = re.compile(r"(?<![\w.$}/-])/(?:home|root|Users|work)/[\w.-]+")


def repository_files() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            yield ROOT / name


def offences(text: str) -> list[str]:
    """Registry hosts and absolute paths of somebody's machine."""
    return [*HOSTS.findall(text), *PLACES.findall(text)]


def test_no_file_names_a_registry_host_or_a_place_on_somebodys_machine() -> None:
    files = list(repository_files())
    if not files:
        pytest.skip("not a git working tree")
    found = {}
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if offences(text):
            found[str(file.relative_to(ROOT))] = offences(text)

    assert found == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://www.postgresql.org/docs/current/", []),
        ("/usr/lib/postgresql/15/bin and /tmp/x", []),
        ("docs/root/x and a/home/b", []),
        ("index-url = https://" + "pypi" + ".org/simple", ["pypi" + ".org"]),
        ("cd /" + "home/ann/shop", ["/" + "home/ann"]),
    ],
)
def test_such_a_name_is_noticed(text: str, found: list[str]) -> None:
    assert offences(text) == found
