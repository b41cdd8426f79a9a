"""SARIF as its authors define it: their schema of 2.1.0, which `tox run -e compat-lint` brings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from expandcontract.lint.catalogue import rule_named, rule_names

SCHEMA = Path(os.environ["EC_TEST_NODE_MODULES"]) / "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"


@pytest.fixture(scope="module")
def schema() -> Any:
    found = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(found)(found)


def log(*arguments: str, stdin: str = "", cwd: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "expandcontract", "lint", "--format", "sarif", "--exit-zero", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def mistakes(schema: Any, document: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in schema.iter_errors(document)]


def test_the_bad_examples_of_all_rules_make_a_valid_log(schema: Any, tmp_path: Path) -> None:
    folder = tmp_path / "ein Ordner mit Umläuten, 100 %"
    folder.mkdir()
    for name in rule_names():
        (folder / f"{name}.sql").write_text(f"-- ünïcode\n{rule_named(name).bad.sql}")

    document = log(".", cwd=folder)

    assert mistakes(schema, document) == []
    (run,) = document["runs"]
    assert len({result["ruleId"] for result in run["results"]}) > 50


def test_so_does_standard_input_and_so_does_nothing(schema: Any, tmp_path: Path) -> None:
    assert mistakes(schema, log("-", stdin="DROP TABLE a; SELECT broken(", cwd=tmp_path)) == []
    assert mistakes(schema, log("-", stdin="SELECT 1", cwd=tmp_path)) == []


def test_the_schema_would_notice(schema: Any, tmp_path: Path) -> None:
    document = log("-", stdin="DROP TABLE a", cwd=tmp_path)
    document["runs"][0]["results"][0]["level"] = "fatal"

    (mistake,) = mistakes(schema, document)
    assert "'fatal' is not one of" in mistake
