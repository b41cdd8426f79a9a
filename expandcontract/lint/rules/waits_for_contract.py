"""An expand that can't run before an earlier contract."""

from __future__ import annotations

from collections.abc import Iterator

from expandcontract.domain.phase import Phase
from expandcontract.lint.finding import Hazard, Severity
from expandcontract.lint.rule import Example, Problem, Rule
from expandcontract.lint.scene import Scene
from expandcontract.lint.statement import Action


def check(action: Action, scene: Scene) -> Iterator[Problem]:
    contracts = scene.surroundings.contracts
    if not contracts or scene.phase is not Phase.EXPAND or action is not scene.statement.actions[0]:
        return
    # here, because only a tree with contracts needs footprints, and every text loads this rule
    from expandcontract.lint.footprint.footprint import footprint
    from expandcontract.lint.footprint.standing import Standing

    standing = scene.surroundings.standing or Standing(())
    mine = footprint([scene.statement.source.decode("utf-8", "replace")], standing)
    for name, theirs in contracts.items():
        shared = mine.meeting(theirs)
        if shared:
            yield Problem(f"until contract {name} is done, this expand is refused: {shared}")


RULE = Rule(
    hazard=Hazard.PHASE,
    title="An expand has to wait for an earlier contract",
    on=(Action,),
    check=check,
    why=(
        "A later expand overtakes a waiting contract only where their footprints don't meet. This one waits, "
        "and every later one behind it, until that contract's rollback window closes."
    ),
    instead=(
        "Nothing, if it may wait. Otherwise use another name or another column, or move what the two have in "
        "common into this change's own contract()."
    ),
    bad=Example(
        "CREATE INDEX users_by_name ON users (name)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    good=Example(
        "CREATE INDEX users_by_email ON users (email)",
        schema="CREATE TABLE users (id bigint PRIMARY KEY, name text, email text)",
    ),
    manual="https://www.postgresql.org/docs/current/ddl-depend.html",
    severity=Severity.NOTE,
)
