"""Our model of the server against measurements on PostgreSQL 10 to 18."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from expandcontract.lint import Hazard, Schema, lint_sql
from expandcontract.lint.catalogue import all_rules
from expandcontract.lint.reading.text import read
from expandcontract.lint.server.running import run
from expandcontract.lint.server.server import Effects
from tests.lint.lint_corpus import DATA, HARD, rows

SCHEMA = (DATA / "lock_facts_schema.sql").read_text()
# Created after the other statements had been measured.
LATER = "CREATE TABLE bigfk (id bigint, tid bigint REFERENCES t (id), pid bigint REFERENCES p (id));"
# Where the measurement shows less than happens, or the server's build of an index on a table that is still empty.
NOT_SHOWN = {
    "set_tablespace": "the fixture moves it to where it is",
    "idx_set_ts": "the fixture moves it to where it is",
    "dom_add_ck": "DEBUG1 doesn't announce the scan for a domain",
    "dom_set_nn": "DEBUG1 doesn't announce the scan for a domain",
    "create_table_fk": "the index of a new, empty table",
    "create_table_like": "the index of a new, empty table",
    "excl_create": "the index of a new, empty table",
    "like_indexes": "the index of a new, empty table",
}
# COPY … TO gave its lock back at once before PostgreSQL 13; version 10 has no DEFAULT partition.
RELEASED_EARLY = {("copyfrom", version): {"noconstr"} for version in (10, 11, 12)}
RELEASED_EARLY["part_of_with_default", 10] = {"defpd"}
# Errors that come from the rows or the names of the fixture, not from the statement.
OF_THE_FIXTURE = (
    "duplicate key",
    "does not exist",
    "violates foreign key",
    "invalid input syntax",
    "cannot drop objects owned",
    "cannot be implemented",
    "unrecognized parameter",
    "is not a generated column",
)


def versions(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def measurements(*, failing: bool) -> Iterator[Any]:
    for fact in rows("lock_facts.jsonl"):
        for measured in fact["by_version"]:
            if bool(measured.get("error")) is failing:
                for version in versions(measured["pg"]):
                    name = f"{fact['probe']}-{version}"
                    yield pytest.param(fact["probe"], fact["sql"], version, measured, id=name)


def schema_for(probe: str) -> str:
    return "CREATE EXTENSION citext;" + SCHEMA + (LATER if probe == "drop_fk_table" else "")


def effects(probe: str, sql: str, version: int) -> Effects:
    return run(read(sql), Schema.from_sql(schema_for(probe)), version, "UTC")


@pytest.mark.parametrize(("probe", "sql", "version", "measured"), [*measurements(failing=False)])
def test_locks_and_work_are_those_measured(probe: str, sql: str, version: int, measured: dict[str, Any]) -> None:
    ours = effects(probe, sql, version)

    locks = {relation: str(mode) for relation, mode in ours.locks.items()}
    # A relation that the statement drops, renames or moves isn't listed in the measurement.
    assert measured["locks"].items() <= locks.items()
    unlisted = set(locks) - set(measured["locks"]) - RELEASED_EARLY.get((probe, version), set())
    assert not unlisted or any(word in sql for word in ("drop", "rename", "set schema", "set tablespace"))
    if probe not in NOT_SHOWN:
        assert set(measured.get("rewrite") or ()) == ours.rewrites
        assert bool(measured.get("scan")) == ours.scans
        assert bool(measured.get("fk_scan")) == ours.checks_keys
        assert bool(measured.get("index_build")) == ours.builds_index
        assert bool(measured.get("proof_used")) == ours.proof_used


@pytest.mark.parametrize(
    ("probe", "sql", "version"),
    [
        pytest.param(*each.values[:3], id=each.id)
        for each in measurements(failing=True)
        if not any(reason in each.values[3]["error"] for reason in OF_THE_FIXTURE)
    ],
)
def test_what_the_server_refuses_is_a_finding(probe: str, sql: str, version: int) -> None:
    findings = lint_sql(sql, server_version=version, schema=schema_for(probe))

    hazards = {all_rules()[finding.rule].hazard for finding in findings}
    assert hazards & {Hazard.FAILURE, Hazard.COMPATIBILITY}


def is_heavy_and_blocks(probe: str, measured: dict[str, Any]) -> bool:
    heavy = any(measured.get(kind) for kind in ("rewrite", "scan", "fk_scan", "index_build"))
    blocking = {"ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE"} & set(measured["locks"].values())
    return bool(heavy and blocking) and probe not in NOT_SHOWN


@pytest.mark.parametrize(
    ("probe", "sql", "version"),
    [
        pytest.param(*each.values[:3], id=each.id)
        for each in measurements(failing=False)
        if is_heavy_and_blocks(each.values[0], each.values[3])
    ],
)
def test_heavy_work_on_a_table_in_use_is_a_finding(probe: str, sql: str, version: int) -> None:
    findings = lint_sql(sql, server_version=version, schema=schema_for(probe), time_zone="UTC")

    assert {all_rules()[finding.rule].hazard for finding in findings} & HARD
