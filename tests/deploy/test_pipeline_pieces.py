"""The workflows, the Jobs and the AnalysisTemplate in ``deploy/``: by the schemas there are, and by our commands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import kubernetes_validate
import pytest
import yaml

from expandcontract.errors import ExitCode
from tests.docs.test_pages import unknown

DEPLOY = Path(__file__).parents[2] / "deploy"
WORKFLOWS = sorted((DEPLOY / "github").glob("*.yaml"))
MANIFESTS = [DEPLOY / "kubernetes" / name for name in ("expand-job.yaml", "contract-cronjob.yaml")]
CHART = DEPLOY / "helm" / "expandcontract"
ANALYSIS = DEPLOY / "argo" / "analysis-template.yaml"
SCHEMA = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "github-workflows.json"


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def workflow(path: Path) -> Any:
    """YAML 1.1, which Python reads, takes the key ``on`` for true; GitHub doesn't."""
    document = loaded(path)
    return {("on" if key is True else key): value for key, value in document.items()}


@pytest.fixture(scope="module")
def github() -> Any:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_one_by_githubs_schema(github: Any, path: Path) -> None:
    assert [error.message for error in github.iter_errors(workflow(path))] == []


def test_so_is_the_one_on_the_page_about_lint(github: Any, tmp_path: Path) -> None:
    page = (DEPLOY.parent / "docs" / "how-to" / "lint.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(# \.github/workflows/.*?)```", page, re.DOTALL)
    (tmp_path / "lint.yaml").write_text(text)

    assert [error.message for error in github.iter_errors(workflow(tmp_path / "lint.yaml"))] == []
    called = re.findall(r"run: (ec .*)", text)
    assert [unknown(one) for one in called] == [None]


def test_githubs_schema_would_notice(github: Any) -> None:
    broken = workflow(DEPLOY / "github" / "contract.yaml")
    broken["jobs"]["contract"]["step"] = []
    assert list(github.iter_errors(broken))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
@pytest.mark.parametrize("version", ["1.31", "1.34"])
def test_a_manifest_is_what_it_says_by_kubernetes_schema(path: Path, version: str) -> None:
    assert kubernetes_validate.validate(loaded(path), version, strict=True)


def test_the_job_within_the_analysis_is_one_by_kubernetes_schema() -> None:
    """The AnalysisTemplate around it has a schema of its own, see test_with_node.py."""
    (metric,) = loaded(ANALYSIS)["spec"]["metrics"]
    spec = metric["provider"]["job"]["spec"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": spec}

    assert kubernetes_validate.validate(job, "1.31", strict=True)


@pytest.mark.parametrize("path", [*WORKFLOWS, *MANIFESTS, ANALYSIS], ids=lambda path: path.name)
def test_only_commands_and_options_that_exist_are_called(path: Path) -> None:
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    listed = [" ".join(re.findall(r'"([^"]*)"', line)) for line in re.findall(r"args: \[(.*)\]", text)]
    called = [*re.findall(r"\bec (?:colour|migrate|backfill|lint|plan|status|observe)\b[^\n|;)]*", text), *listed]

    assert called
    assert {one: what for one in called if (what := unknown(one))} == {}


def test_the_chart_calls_commands_that_exist_and_its_values_are_as_its_schema_says() -> None:
    """What it renders is in test_helm.py, which needs Helm."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((CHART / "templates").iterdir())]
    called = re.findall(
        r"\bec (?:colour|migrate|backfill|observe)\b[^\n|;)\"]*", re.sub(r"{{.*?}}", "x", "".join(texts))
    )
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))

    assert len(called) >= 3
    assert {one: what for one in called if (what := unknown(one))} == {}
    jsonschema.validate(loaded(CHART / "values.yaml"), schema)
    assert set(schema["properties"]) - {"global"} == set(loaded(CHART / "values.yaml"))


def scripts(document: Any) -> list[str]:
    """Every ``run:`` and every script of a container."""
    if isinstance(document, dict):
        own = [document["run"]] if isinstance(document.get("run"), str) else []
        if document.get("command") == ["sh", "-c"]:
            own += document["args"]
        return own + [script for value in document.values() for script in scripts(value)]
    return [script for value in document for script in scripts(value)] if isinstance(document, list) else []


@pytest.mark.parametrize("path", [*WORKFLOWS, *MANIFESTS], ids=lambda path: path.name)
def test_the_scripts_are_shell(path: Path) -> None:
    for script in scripts(loaded(path)):
        ran = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("path", [DEPLOY / "github" / "contract.yaml", MANIFESTS[1]], ids=lambda path: path.name)
@pytest.mark.parametrize("code", list(ExitCode))
def test_a_night_fails_unless_it_is_done_or_not_yet_or_busy(path: Path, code: ExitCode, tmp_path: Path) -> None:
    (script,) = [script for script in scripts(loaded(path)) if "migrate contract" in script]
    ec = tmp_path / "ec"
    ec.write_text(f"#!/bin/sh\nexit {int(code)}\n")
    ec.chmod(0o755)

    ran = subprocess.run(["sh", "-ec", script], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False)

    passes = code in (ExitCode.DONE, ExitCode.WINDOW_OPEN, ExitCode.TRY_LATER)
    assert ran.returncode == (0 if passes else code)


def test_the_deploy_has_the_steps_in_the_order_that_matters() -> None:
    steps = loaded(DEPLOY / "github" / "deploy.yaml")["jobs"]["deploy"]["steps"]
    text = "\n".join(step.get("run", "") for step in steps)
    order = ["ec migrate expand", "ec colour deploy", "ec backfill", "./smoke-test", "ec colour check", "./move-"]

    assert [text.index(each) for each in order] == sorted(text.index(each) for each in order)
    assert text.index("./move-traffic") < text.index("ec colour traffic")


@pytest.mark.parametrize("path", [MANIFESTS[0], ANALYSIS], ids=lambda path: path.name)
def test_exit_codes_that_another_attempt_mends_are_tried_again_and_no_others(path: Path) -> None:
    document = loaded(path)
    spec = document["spec"] if path == MANIFESTS[0] else document["spec"]["metrics"][0]["provider"]["job"]["spec"]
    (rule,) = [rule for rule in spec["podFailurePolicy"]["rules"] if "onExitCodes" in rule]

    assert ExitCode.TRY_LATER not in rule["onExitCodes"]["values"]
    assert {ExitCode.USAGE, ExitCode.REFUSED, ExitCode.FAULT} <= set(rule["onExitCodes"]["values"])
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
