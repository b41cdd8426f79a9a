"""The manifests for ``ec observe``, by Kubernetes' own schemas, and what they count on."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from expandcontract.cli.observe import observe
from expandcontract.config import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"


def manifest(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["observe-deployment.yaml", "observe-cronjob.yaml"])
@pytest.mark.parametrize("version", ["1.31", "1.34"])
def test_they_are_what_they_say_by_the_schema(name, version):
    assert kubernetes_validate.validate(manifest(name), version, strict=True)


def test_the_schema_would_notice():
    broken = manifest("observe-cronjob.yaml")
    broken["spec"]["jobTemplate"]["spec"]["template"]["spec"]["restartPolicies"] = "Never"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, "1.31", strict=True)


def test_the_cron_jobs_looks_are_close_enough_to_count():
    minutes = int(manifest("observe-cronjob.yaml")["spec"]["schedule"].split()[0].removeprefix("*/"))

    assert minutes * 60 < Settings().observed_gap.total_seconds()


def test_the_deployments_command_can_be_read():
    (container,) = manifest("observe-deployment.yaml")["spec"]["template"]["spec"]["containers"]

    ec, verb, *arguments = container["args"]
    assert (ec, verb) == ("ec", "observe")
    assert observe.make_context("observe", arguments).params["every"] == "30s"
