"""`ec demo` as its user runs it: the account is right, and it fails where something is wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from expandcontract.proof.installation import Installation

pytestmark = pytest.mark.needs_cluster

EXAMPLE = Path(__file__).parents[2] / "migrations_example"
QUICK = ("--json", "--rows", "2000", "--window", "5s")


@pytest.fixture
def demo(installation: Installation, tmp_path: Path):
    """Run ``ec demo`` from a folder that has nothing to do with it."""

    def run(*arguments: str) -> tuple[int, dict[str, Any], str]:
        foreign = ("EC_", "PG", "ALEMBIC")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        ran = subprocess.run(
            [sys.executable, "-m", "expandcontract", "demo", *arguments],
            cwd=tmp_path,
            env={**environment, "TMPDIR": str(tmp_path), "EC_TEST_PG_BIN": str(installation.bin_dir)},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert not list(tmp_path.glob("ec-demo-*")), "files are left behind"
        return ran.returncode, json.loads(ran.stdout), ran.stderr

    return run


def test_nothing_fails_and_each_refusal_comes_in_its_turn(demo) -> None:
    code, document, said = demo(*QUICK)
    print(said, document)
    refused = [(refusal["step"], refusal["code"]) for refusal in document.pop("refusals")]
    # The ledger itself is younger than the window at first, on a fast machine, and that too is a reason.
    refused = [one for number, one in enumerate(refused) if (number, one) != (2, ("contract 0002", "window-open"))]
    assert refused == [
        ("contract 0002", "not-backfilled"),
        ("contract 0002", "live-lacks"),
        ("backfill 0002", "not-backfilled"),
        ("contract 0002", "window-open"),
        ("contract 0002", "contracted"),
    ]
    requests, rows, longest = (document.pop(name) for name in ("requests", "rows", "longest_wait_ms"))
    assert requests > 100
    assert rows > 2000
    assert longest > 0
    assert document == {"schema": "ec/1", "command": "demo", "outcome": "done", "failed": 0, "rows_wrong": 0}
    assert code == 0


def test_a_release_that_cannot_work_makes_it_fail(demo, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "broken", ignore=shutil.ignore_patterns("__pycache__"))
    release = tmp_path / "broken" / "shop" / "release_2.py"
    text = release.read_text()
    assert "mapped_column(Text)" in text
    release.write_text(text.replace("mapped_column(Text)", 'mapped_column("no_such_column", Text)'))
    code, document, said = demo(*QUICK, "--example", str(tmp_path / "broken"))
    assert document["outcome"] == "failed"
    assert document["failed"] > 0
    assert "42703" in said
    assert code == 7
