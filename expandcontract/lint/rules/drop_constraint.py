"""A constraint is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Effect, Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.statement import AddConstraint, Constraint, ConstraintKind, DropConstraint


def check(action: DropConstraint, scene: Scene) -> Iterator[Problem]:
    if not scene.is_live(action.table) or scene.schema.is_fresh("constraint", f"{action.table}.{action.name}"):
        return
    known = scene.schema.table(action.table)
    constraint = known.constraints.get(action.name) if known else None
    if is_replaced(action, constraint, scene) or says_no_more_than_not_null(action, constraint, scene):
        return
    if is_key_of_the_removed(action, constraint, scene):
        return
    also = ""
    if constraint and constraint.references:
        also = f"; dropping a foreign key takes ACCESS EXCLUSIVE on {constraint.references} as well"
    yield Problem(f"what {action.name} guaranteed to running code no longer holds{also}")


def is_replaced(action: DropConstraint, constraint: Constraint | None, scene: Scene) -> bool:
    """Whether the same ALTER TABLE puts another in its place, or the transaction one of the same name."""
    together = [each.constraint for each in scene.statement.actions if isinstance(each, AddConstraint)]
    if any(constraint is None or each.kind is constraint.kind for each in together):
        return True
    later = (each for each in scene.later_in_transaction() if isinstance(each, AddConstraint))
    return any((each.table, each.constraint.name) == (action.table, action.name) for each in later)


def is_key_of_the_removed(action: DropConstraint, constraint: Constraint | None, scene: Scene) -> bool:
    """Whether it is a foreign key of what contract() removes, so that new code may delete what that refers to."""
    if constraint is None or not constraint.references:
        return False
    removed = scene.surroundings.removed
    return action.table in scene.surroundings.removed_tables or any(
        (action.table, column) in removed for column in constraint.columns
    )


def says_no_more_than_not_null(action: DropConstraint, constraint: Constraint | None, scene: Scene) -> bool:
    """Whether it is the CHECK that served as a proof for a NOT NULL that stands by now."""
    if constraint is None or constraint.kind is not ConstraintKind.CHECK or constraint.expression is None:
        return False
    return "NullTest" in constraint.expression.node and all(
        scene.schema.column_not_null(action.table, column) and constraint.expression.proves_not_null(column)
        for column in constraint.columns
    )


RULE = Rule(
    hazard=Hazard.COMPATIBILITY,
    title="A constraint is dropped",
    on=(DropConstraint,),
    check=check,
    why=(
        "Running code may rely on it: on uniqueness for ON CONFLICT, on a parent row that exists, on a range of values."
    ),
    instead=("Drop it in contract(). To change it, drop and add it (NOT VALID) in one ALTER TABLE."),
    bad=Example(
        "ALTER TABLE users DROP CONSTRAINT adult",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, age integer, CONSTRAINT adult CHECK (age >= 18))",
    ),
    good=Example(
        "ALTER TABLE users DROP CONSTRAINT adult, ADD CONSTRAINT adult CHECK (age >= 16) NOT VALID",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, age integer, CONSTRAINT adult CHECK (age >= 18))",
    ),
    effects=(Effect("10-18", {"users": Lock.ACCESS_EXCLUSIVE}),),
    manual="https://www.postgresql.org/docs/current/sql-altertable.html",
)
