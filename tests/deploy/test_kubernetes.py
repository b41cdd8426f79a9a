"""The Job of ``deploy/kubernetes``: what Kubernetes' own schema says of it, and what our exit codes mean to it."""

from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from expandcontract.errors import ExitCode

MANIFEST = Path(__file__).parents[2] / "deploy" / "kubernetes" / "backfill-job.yaml"


@pytest.fixture
def job():
    return yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))


@pytest.mark.parametrize("version", ["1.31", "1.34"])
def test_it_is_a_job_by_the_schema(job, version):
    assert kubernetes_validate.validate(job, version, strict=True)


def test_the_schema_would_notice(job):
    job["spec"]["paralelism"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, "1.31", strict=True)


def test_exit_codes_that_another_attempt_mends_are_tried_again_and_no_others(job):
    (rule,) = [rule for rule in job["spec"]["podFailurePolicy"]["rules"] if "onExitCodes" in rule]
    tried_again = set(ExitCode) - {ExitCode.DONE} - set(rule["onExitCodes"]["values"])
    # 1 is an answer of reading commands; `backfill run` never ends with it
    assert tried_again - {ExitCode.FINDINGS} == {ExitCode.TRY_LATER, ExitCode.INTERRUPTED}
    assert job["spec"]["template"]["spec"]["restartPolicy"] == "Never"  # or Kubernetes refuses a podFailurePolicy


def test_the_job_ends_with_the_backfill_and_not_after_so_many_pods(job):
    assert job["spec"]["parallelism"] > 1
    assert "completions" not in job["spec"]
