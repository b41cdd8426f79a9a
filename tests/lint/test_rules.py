"""What holds for every rule, and each rule's own examples."""

from __future__ import annotations

import pytest

from expandcontract.domain.footprint import Footprint, Touched
from expandcontract.domain.phase import Phase
from expandcontract.lint import Finding, Hazard, Schema, Severity, lint_sql
from expandcontract.lint.catalogue import all_rules
from expandcontract.lint.reading.text import read
from expandcontract.lint.rule import NEWEST, OLDEST, Example
from expandcontract.lint.scene import Surroundings
from expandcontract.lint.server.running import run
from expandcontract.lint.severity import Severities

NAMES = sorted(all_rules())
WORK = {"rewrite": "rewrites", "scan": "scans", "key check": "checks_keys", "index build": "builds_index"}
PHASES = {
    "phase-contradiction": Phase.BACKFILL,
    "waits-for-contract": Phase.EXPAND,
    "mapped-column-removed": Phase.CONTRACT,
    "enabling-expand-missing": Phase.CONTRACT,
}


def findings(name: str, example: Example) -> list[Finding]:
    return lint_sql(
        example.sql,
        server_version=example.version,
        in_transaction=example.in_transaction,
        schema=example.schema,
        phase=PHASES.get(name),
        surroundings=Surroundings(
            mapped=frozenset({("users", "name")}),
            contracts={"0007": Footprint.of([Touched("users", "name")])} if name == "waits-for-contract" else {},
        ),
        severities=Severities(everywhere={name: Severity.WARNING}),
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_bad_example_is_found(name: str) -> None:
    assert name in {finding.rule for finding in findings(name, all_rules()[name].bad)}


@pytest.mark.parametrize("name", NAMES)
def test_the_good_example_is_not(name: str) -> None:
    assert name not in {finding.rule for finding in findings(name, all_rules()[name].good)}


@pytest.mark.parametrize("name", NAMES)
def test_the_claimed_effects_are_those_of_the_model(name: str) -> None:
    rule = all_rules()[name]
    for effect in rule.effects:
        for version in (each for each in range(OLDEST, NEWEST + 1) if effect.covers(each)):
            ours = run(read(rule.bad.sql), Schema.from_sql(rule.bad.schema), version)
            assert effect.locks == ours.locks
            assert set(effect.work) == {word for word, attribute in WORK.items() if getattr(ours, attribute)}


@pytest.mark.parametrize("name", NAMES)
def test_a_locking_rule_claims_its_lock(name: str) -> None:
    rule = all_rules()[name]
    if rule.hazard is Hazard.LOCKING:
        assert any(effect.locks or effect.work for effect in rule.effects)


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_sentences(name: str) -> None:
    rule = all_rules()[name]
    for text in (rule.why, rule.instead):
        assert text.endswith((".", ")")) or rule.hazard is Hazard.ANALYSIS
    assert not rule.title.endswith(".")
    assert rule.manual.startswith("https://www.postgresql.org/docs/")


def test_destructive_statements_are_wrong_in_expand_and_expected_in_contract() -> None:
    sql = "ALTER TABLE users DROP COLUMN name"

    assert [finding.severity for finding in lint_sql(sql, phase=Phase.EXPAND) if finding.rule == "drop-column"] == [
        "error"
    ]
    assert "drop-column" not in {finding.rule for finding in lint_sql(sql, phase=Phase.CONTRACT)}


def test_locks_are_as_hard_in_contract() -> None:
    found = lint_sql("CREATE INDEX i ON users (name)", phase=Phase.CONTRACT)

    assert "index-not-concurrent" in {finding.rule for finding in found if finding.severity is Severity.ERROR}


@pytest.mark.parametrize(
    "sql", ["ALTER TABLE a RENAME TO b", "ALTER TABLE a RENAME b TO c", "ALTER TABLE a SET SCHEMA b"]
)
def test_a_rename_is_wrong_in_every_phase(sql: str) -> None:
    for phase in (Phase.EXPAND, Phase.CONTRACT):
        assert any(finding.severity is Severity.ERROR for finding in lint_sql(sql, phase=phase, guarantees=None))


def test_drop_not_null_is_fine_where_the_contract_removes_the_column() -> None:
    sql = "ALTER TABLE users ALTER COLUMN name DROP NOT NULL"
    enabling = Surroundings(removed=frozenset({("users", "name")}))

    assert "drop-not-null" in {finding.rule for finding in lint_sql(sql, phase=Phase.EXPAND)}
    assert "drop-not-null" not in {f.rule for f in lint_sql(sql, phase=Phase.EXPAND, surroundings=enabling)}
