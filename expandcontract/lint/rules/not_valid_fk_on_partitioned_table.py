"""A NOT VALID foreign key is added to a partitioned table."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import AddConstraint, ConstraintKind


def check(action: AddConstraint, scene: Scene) -> Iterator[Problem]:
    constraint = action.constraint
    if constraint.kind is not ConstraintKind.FOREIGN_KEY or constraint.valid or scene.version >= 18:
        return
    if scene.schema.is_partitioned(action.table):
        yield Problem(
            f"{action.table} is partitioned: PostgreSQL {scene.version} refuses a NOT VALID foreign key on it"
        )


RULE = Rule(
    hazard=Hazard.FAILURE,
    title="A NOT VALID foreign key is added to a partitioned table",
    on=(AddConstraint,),
    check=check,
    why=("PostgreSQL refuses it before version 18 (version 10 has no foreign keys on partitioned tables at all)."),
    instead=(
        "A NOT VALID foreign key on each partition, validated one by one; then the one on the parent adopts them."
    ),
    bad=Example(
        "ALTER TABLE events ADD CONSTRAINT events_kind FOREIGN KEY (kind) REFERENCES kinds (id) NOT VALID",
        schema=(
            "CREATE TABLE kinds (id integer PRIMARY KEY); CREATE TABLE events (kind integer) PARTITION BY "
            "RANGE (kind); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
    ),
    good=Example(
        "ALTER TABLE events_1 ADD CONSTRAINT events_kind FOREIGN KEY (kind) REFERENCES kinds (id) NOT VALID",
        schema=(
            "CREATE TABLE kinds (id integer PRIMARY KEY); CREATE TABLE events (kind integer) PARTITION BY "
            "RANGE (kind); CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (10)"
        ),
    ),
    manual="https://www.postgresql.org/docs/current/ddl-partitioning.html",
)
