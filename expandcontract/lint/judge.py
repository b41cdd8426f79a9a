"""Runs every rule over every action of a text, keeping the schema and the transaction as they unfold."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

from expandcontract.domain.phase import Phase
from expandcontract.lint.catalogue import rules_on
from expandcontract.lint.finding import Hazard
from expandcontract.lint.rule import Problem, Rule
from expandcontract.lint.scene import BLOCKING, Done, Guarantees, Scene, Surroundings
from expandcontract.lint.schema import Schema
from expandcontract.lint.server.effects import effects_of
from expandcontract.lint.server.server import Server
from expandcontract.lint.statement import Action, AddEnumValue, SetVariable, Statement, Transaction
from expandcontract.lint.value import Value

_ENDINGS = ("commit", "rollback", "prepare")
_ABOUT_WHAT_STAYS = frozenset((Hazard.DESTRUCTIVE, Hazard.COMPATIBILITY))


class Verdict(Value):
    """A problem, the rule that found it, and where."""

    name: str
    rule: Rule
    problem: Problem
    action: Action
    statement: Statement


class Assumptions(Value):
    """Everything that isn't in the text: server, runner, phase, the rest of the change."""

    version: int = 16
    minor: int | None = None
    time_zone: str | None = None
    in_transaction: bool = True
    phase: Phase | None = None
    guarantees: Guarantees = Guarantees()
    surroundings: Surroundings = Surroundings()


def judge(statements: Sequence[Statement], schema: Schema, assumed: Assumptions) -> Iterator[Verdict]:
    """Give every problem, in the order of the text; the schema is left as the text leaves it."""
    scene = Scene(
        Server(assumed.version, schema, assumed.time_zone),
        statements,
        assumed.phase,
        assumed.in_transaction,
        assumed.guarantees,
        assumed.surroundings,
        minor=assumed.minor,
        in_transaction=assumed.in_transaction,
        time_zone=assumed.time_zone,
        may_roll_back=_rolls_back(statements),
    )
    undo = _Undo(scene.may_roll_back)
    for position, statement in enumerate(statements):
        scene.position = position
        yield from _statement(scene, statement)
        for action in statement.actions:
            scene.schema.apply(action)
            _follow(scene, action, undo)


def _statement(scene: Scene, statement: Statement) -> Iterator[Verdict]:
    outside = scene.in_transaction
    if not outside and scene.done and scene.done[-1].statement.start != statement.start:
        _end_transaction(scene)  # a DO block is a transaction of its own
    scene.in_transaction = outside or statement.in_block
    server = scene.server
    nothing_stays = scene.is_rolled_back
    done = []
    scene.server = server.during(statement.actions)
    for action in statement.actions:
        scene.effects = effects_of([action], scene.server)
        scene.locks = scene.live_locks(scene.effects)
        for name, rule in rules_on(type(action)):
            if nothing_stays and rule.hazard in _ABOUT_WHAT_STAYS:
                continue
            for problem in rule.check(action, scene):
                yield Verdict(name, rule, _with_size(problem, rule, scene), action, statement)
        done.append(Done(statement, action, scene.effects, scene.locks))
    scene.server = server
    for each in done:
        _remember(scene, each)
    scene.in_transaction = outside


def _with_size(problem: Problem, rule: Rule, scene: Scene) -> Problem:
    """
    Say how much there is to read, write or build, where a catalogue told.

    The severity stays: a size is an estimate of one database at one moment, and the table that is small there and
    then may be large where the statement runs.
    """
    if rule.hazard is not Hazard.LOCKING or not scene.schema.sizes:
        return problem
    size = scene.size_of_the_work()
    return problem.with_(message=f"{problem.message} ({size})") if size else problem


def _remember(scene: Scene, done: Done) -> None:
    """Take note of what the statements after this one need to know about it."""
    if scene.first_blocked is None:
        scene.first_blocked = next((name for name, mode in done.live_locks.items() if mode >= BLOCKING), None)
    if not scene.in_transaction:
        return
    scene.done.append(done)
    scene.exclusive.update(dict.fromkeys(sorted(scene.exclusively_locked(done.live_locks))))
    for table, mode in done.live_locks.items():
        scene.held[table] = max(mode, scene.held.get(table, mode))
    if isinstance(done.action, AddEnumValue):
        scene.added_values[done.action.value] = done.action.type


def _end_transaction(scene: Scene) -> None:
    scene.done, scene.held, scene.exclusive, scene.added_values = [], {}, {}, {}
    if scene.server.time_zone != scene.time_zone:
        scene.server = scene.server.with_(time_zone=scene.time_zone)


def _follow(scene: Scene, action: Action, undo: _Undo) -> None:
    """Take note of what the action changes about the session: its settings, its transaction."""
    if isinstance(action, SetVariable):
        if action.name == "all":
            scene.settings.clear()
        scene.settings[action.name] = None if action.reset else action.value
        if action.name in ("all", "timezone"):
            _set_time_zone(scene, action)
        return
    if not isinstance(action, Transaction):
        return
    if action.verb == "begin":
        if not scene.in_transaction:
            undo.remember(scene.schema)
        scene.in_transaction = scene.began = True
    elif action.verb in _ENDINGS:
        if action.verb == "rollback":
            undo.restore(scene)
        scene.in_transaction = False
        _end_transaction(scene)


def _set_time_zone(scene: Scene, action: SetVariable) -> None:
    """Take note of the session's time zone; what RESET goes back to isn't known."""
    zone = None if action.reset else action.value
    if not action.local:
        scene.time_zone = zone
    if scene.in_transaction or not action.local:
        scene.server = scene.server.with_(time_zone=zone)


def _rolls_back(statements: Sequence[Statement]) -> bool:
    return any(
        isinstance(action, Transaction) and action.verb == "rollback"
        for statement in statements
        for action in statement.actions
    )


class _Undo:
    """What ROLLBACK goes back to; copied only for texts that have one."""

    def __init__(self, needed: bool) -> None:
        self._needed = needed
        self._before: Schema | None = None

    def remember(self, schema: Schema) -> None:
        self._before = copy.deepcopy(schema) if self._needed else None

    def restore(self, scene: Scene) -> None:
        if self._before is not None:
            vars(scene.schema).update(vars(copy.deepcopy(self._before)))
