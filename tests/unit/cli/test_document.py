from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from expandcontract.cli.document import error_document, plain, result_document
from expandcontract.commands.migrate import MigrateResult
from expandcontract.commands.result import Outcome
from expandcontract.domain.phase import Phase
from expandcontract.domain.refusal import Code, Refusal
from expandcontract.domain.step import Step
from expandcontract.errors import RunnerBusy

STEP = Step("8c1f", Phase.CONTRACT)
NO = Refusal(STEP, "rename", Code.WINDOW_OPEN, "because", "next", datetime(2026, 5, 1, 12, tzinfo=UTC))


def test_a_refused_result_carries_its_refusals_with_a_zoned_time() -> None:
    document = json.loads(
        result_document("migrate contract", MigrateResult(outcome=Outcome.REFUSED, refusals=(NO,), steps=(STEP,)))
    )

    assert document == {
        "schema": "ec/1",
        "command": "migrate contract",
        "outcome": "refused",
        "refusals": [
            {
                "step": "contract 8c1f",
                "code": "window-open",
                "because": "because",
                "until": "2026-05-01T12:00:00+00:00",
                "next": "next",
            }
        ],
        "steps": ["contract 8c1f"],
        "overridden": [],
        "proofs": [],
        "dry_run": False,
        "sql": None,
    }


def test_a_result_that_was_not_refused_has_no_refusals() -> None:
    assert "refusals" not in json.loads(result_document("migrate expand", MigrateResult(outcome=Outcome.NOTHING)))


def test_an_error_says_its_kind_and_what_to_do_next() -> None:
    document = json.loads(error_document("backfill", RunnerBusy("busy", because="pid 7", next_command="wait")))

    assert document == {
        "schema": "ec/1",
        "command": "backfill",
        "outcome": "failed",
        "error": {"kind": "RunnerBusy", "message": "busy", "because": "pid 7", "next": "wait"},
    }


def test_lengths_of_time_are_seconds_and_sets_are_lists() -> None:
    assert plain({"length": timedelta(minutes=2), "names": frozenset({"a"})}) == {"length": 120.0, "names": ["a"]}
