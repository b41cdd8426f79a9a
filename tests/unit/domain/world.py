"""
A world in which people author, deploy, migrate, undo and crash, and ask the gate before each move.

It keeps its own books on traffic and on the physical schema, so that what the gate believes can be compared with what
is so. Traffic follows the check, unless somebody defies it; from then on only the promises that don't depend on the
check are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from expandcontract.domain import gate
from expandcontract.domain.colour import Router
from expandcontract.domain.facts import Facts, RecordedMeaning
from expandcontract.domain.phase import Phase
from expandcontract.domain.release import Release
from expandcontract.domain.stale import KeptByCode, with_stale_backfills
from expandcontract.domain.step import Step, StepState
from expandcontract.domain.window import Control
from tests.unit.domain.design import Design, sparing
from tests.unit.domain.physical_schema import Authored, PhysicalSchema, Tree, insist

BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)  # no two things happen at the same moment
WHOLE = 99  # more parts than any step has


class Habit(Enum):
    """What the gate doesn't ask, and the people of this world do of their own accord."""

    LOOK_AHEAD = auto()  # whoever moves traffic asks of the router as it would be, not as it is


@dataclass
class World:
    """Everything that there is. Each move returns whether it was made; a refused one changes nothing."""

    now: datetime = BEGINNING
    trees: list[Tree] = field(default_factory=lambda: [()])
    builds: dict[str, Release] = field(default_factory=dict)
    router: Router = field(default_factory=Router)
    steps: dict[Step, StepState] = field(default_factory=dict)
    recorded: dict[Step, RecordedMeaning] = field(default_factory=dict)
    kept_by_code: dict[str, KeptByCode] = field(default_factory=dict)
    schema: PhysicalSchema = field(default_factory=PhysicalSchema)
    slots: dict[str, tuple[str, int]] = field(default_factory=dict)
    left_at: dict[str, datetime] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    controls: dict[str, Control] = field(default_factory=dict)
    defied: bool = False
    habits: frozenset[Habit] = frozenset(Habit)
    authored: int = 0

    @classmethod
    def begun(cls, *, without: Habit | None = None) -> World:
        """Blue runs the first release, which ships nothing; everybody has every habit, or every other one."""
        world = cls(habits=frozenset(Habit) - {without})
        world.deploy("blue", world.build(()))
        world.shift({"blue": 100})
        return world

    # authors

    def author(self, design: Design, base: Tree) -> Tree:
        """A tree with one more change on top of `base`."""
        self.authored += 1
        revision = f"c{self.authored}"
        authored = design.of(revision, writers=base[-1].revision if base else revision)
        earlier = self._making_room(base, design.touches) if design.spares_what_waits else base
        return self._keep((*earlier, authored))

    def _making_room(self, tree: Tree, touches: frozenset[str]) -> Tree:
        """The tree with contracts that leave `touches` alone."""
        return tuple(sparing(authored, touches) for authored in tree)

    def rebase(self, tree: Tree) -> Tree:
        """`tree` on top of all that is applied; where both have a change, as `tree` has it."""
        mine = {authored.revision: authored for authored in tree}
        applied = tuple(mine.get(revision, held.authored) for revision, held in self.schema.held.items())
        return self._keep((*applied, *(each for each in tree if each.revision not in self.schema.held)))

    def merge(self, tree: Tree, other: Tree) -> Tree:
        """What `other` has on top of `tree`, without a look at the database."""
        mine = {authored.revision for authored in tree}
        return self._keep((*tree, *(authored for authored in other if authored.revision not in mine)))

    def _keep(self, tree: Tree) -> Tree:
        if tree not in self.trees:
            self.trees.append(tree)
        return tree

    # releases and traffic

    def build(self, tree: Tree) -> str:
        """A release of that tree; its tag."""
        ships = frozenset(authored.revision for authored in tree)
        needs = frozenset(
            authored.revision for authored in tree if (fills := authored.change.backfill) is not None and fills.required
        )
        tag = "r" + ".".join(authored.revision.removeprefix("c") for authored in tree)
        self.builds[tag] = Release(tag, ships, needs)
        return tag

    def deploy(self, colour: str, tag: str) -> bool:
        """Put a release on a colour, which may have traffic."""
        weight = self.slots.get(colour, ("", 0))[1]
        after = {**self.slots, colour: (tag, weight)}
        return self._moves(after, lambda now: self.router.deploy(colour, self.builds[tag], now))

    def shift(self, weights: Mapping[str, int]) -> bool:
        """Give the colours exactly these weights."""
        after = {name: (tag, weights.get(name, 0)) for name, (tag, _) in self.slots.items()}
        return self._moves(after, lambda now: self.router.shift(weights, now))

    def retire(self, colour: str) -> bool:
        """Take an idle colour away."""
        if self.slots.get(colour, ("", 0))[1] > 0:
            return False
        after = {name: slot for name, slot in self.slots.items() if name != colour}
        return self._moves(after, lambda now: self.router.retire(colour, now))

    def defy(self, colour: str, tag: str) -> None:
        """Give all the traffic to a release whatever the check says; the ledger records what is."""
        self.defied = True
        after = {name: (running, 0) for name, (running, _) in self.slots.items()} | {colour: (tag, 100)}
        self._moves(after, lambda now: self.router.deploy(colour, self.builds[tag], now).shift({colour: 100}, now))

    def cut_over(self, colour: str, tag: str) -> bool:
        """Deploy a release, and give it all the traffic."""
        return self.deploy(colour, tag) and self.shift({colour: 100})

    def release(self, colour: str, tree: Tree) -> bool:
        """All that it takes until that tree's release has the traffic; whether it got it."""
        for authored in tree:
            self.expand(authored, tree)
            self.backfill(authored, tree)
        return self.cut_over(colour, self.build(tree))

    def pass_time(self, length: timedelta) -> None:
        """Let time pass."""
        self.now += length

    def live(self, slots: Mapping[str, tuple[str, int]] | None = None) -> list[str]:
        """The releases that have traffic, by tag."""
        return sorted({tag for tag, weight in (self.slots if slots is None else slots).values() if weight > 0})

    def _moves(self, after: dict[str, tuple[str, int]], routed: Callable[[datetime], Router]) -> bool:
        self.now += TICK
        router = routed(self.now)
        if not (self.defied or self._may_move(after, router)):
            return False
        for tag in {*self.live(), *self.live(after)}:
            self.left_at[tag] = self.now
        self.slots, self.router = after, router
        self.given_up -= set(self.live())
        self._live_releases_write()
        return True

    def _may_move(self, after: Mapping[str, tuple[str, int]], router: Router) -> bool:
        """The check, asked for each release that would have traffic."""
        asked_of = router if Habit.LOOK_AHEAD in self.habits else self.router
        facts = self.facts(self.trees[-1], asked_of)
        return not any(gate.traffic_refusals(self.builds[tag], facts) for tag in self.live(after))

    # steps

    def facts(self, tree: Tree, router: Router | None = None) -> Facts:
        """What a command knows that runs from this tree; with a `router`, what it would know then."""
        routed = self.router if router is None else router
        changes = tuple(authored.change for authored in tree)
        steps = with_stale_backfills(self.steps, self.kept_by_code, routed, self.now)
        return Facts(
            self.now,
            changes,
            steps,
            routed,
            self.schema.rows_left(),
            came=tuple(self.schema.held),
            recorded=self.recorded,
            controls=self.controls,
        )

    def expand(self, authored: Authored, tree: Tree, parts: int = WHOLE) -> bool:
        """Run the expand of a change, or so many parts of it before a crash."""
        if not self._may_run(authored, Phase.EXPAND, tree):
            return False
        complete = self.schema.build(authored, tree, parts)
        self._record(authored, Phase.EXPAND, complete)
        if complete:
            self._take_for_meant(authored)
        self._live_releases_write()
        return True

    def backfill(self, authored: Authored, tree: Tree, *, crashes: bool = False) -> bool:
        """Run the backfill of a change until its predicate finds no row, or until a crash."""
        if not self._may_run(authored, Phase.BACKFILL, tree):
            return False
        if not crashes:
            self.schema.fill(authored.revision)
        self._record(authored, Phase.BACKFILL, not crashes)
        if authored.change.backfill and authored.change.backfill.writers:
            self.kept_by_code[authored.revision] = KeptByCode(authored.change.backfill.writers, self.now)
        self._live_releases_write()
        return True

    def contract(self, authored: Authored, tree: Tree, parts: int = WHOLE) -> bool:
        """Run the contract of a change, or so many parts of it before a crash."""
        if not self._may_run(authored, Phase.CONTRACT, tree):
            return False
        self._insist_that_windows_have_closed(authored)
        complete = self.schema.remove(authored, parts)
        self._record(authored, Phase.CONTRACT, complete)
        self._take_for_meant(authored)
        return True

    def amend(self, authored: Authored, tree: Tree) -> bool:
        """Take a change as this tree has it for what was meant."""
        if gate.amend_refusals(authored.change, self.facts(tree)):
            return False
        self._take_for_meant(authored)
        self.schema.amend(authored)
        return True

    def extend_window(self, authored: Authored, tree: Tree, length: timedelta) -> bool:
        """Make the rollback window of a change longer."""
        if gate.extend_refusals(authored.change, self.facts(tree)):
            return False
        extended = self._control(authored).extended + length
        self.controls[authored.revision] = Control(extended)
        return True

    def close_window(self, authored: Authored, tree: Tree) -> bool:
        """Close the rollback window of a change early, giving up whoever could have gone back."""
        self.now += TICK
        facts = self.facts(tree)
        if gate.close_refusals(authored.change, facts):
            return False
        held = [window for window in facts.windows(authored.change) if window.is_open(self.now)]
        self.given_up |= {window.release for window in held if window.release is not None}
        self.controls[authored.revision] = replace(self._control(authored), closed_at=self.now)
        return True

    def _control(self, authored: Authored) -> Control:
        return self.controls.get(authored.revision, Control())

    def _take_for_meant(self, authored: Authored) -> None:
        """What the ledger keeps of a contract that waits, or has begun."""
        if meaning := authored.change.meanings.get(Phase.CONTRACT):
            held = self.schema.held.get(authored.revision)
            ran = held.removed if held else 0
            self.recorded[Step(authored.revision, Phase.CONTRACT)] = RecordedMeaning(meaning, ran)

    def undo(self, authored: Authored, tree: Tree, give_up: Iterable[str] = ()) -> bool:
        """Undo the expand of a change, giving up these releases by name."""
        named = frozenset(give_up)
        if gate.undo_refusals(authored.change, self.facts(tree), named):
            return False
        self.schema.take_back(authored.revision)
        for phase in (Phase.EXPAND, Phase.BACKFILL):
            self.steps.pop(Step(authored.revision, phase), None)
        self.recorded.pop(Step(authored.revision, Phase.CONTRACT), None)
        self.controls.pop(authored.revision, None)
        self.given_up |= {tag for tag in named if authored.revision in self.builds[tag].ships}
        return True

    def _may_run(self, authored: Authored, phase: Phase, tree: Tree) -> bool:
        facts = self.facts(tree)
        if phase not in authored.change.phases or facts.is_done(authored.revision, phase):
            return False
        return not gate.refusals(authored.change, phase, facts)

    def _record(self, authored: Authored, phase: Phase, complete: bool) -> None:
        self.now += TICK
        self.steps[Step(authored.revision, phase)] = StepState.DONE if complete else StepState.STARTED

    def _live_releases_write(self) -> None:
        self.schema.written_by(self.builds[tag] for tag in self.live())

    # promises

    def insist_that_live_releases_work(self) -> None:
        """The first theorem: no live release ever meets a schema that it isn't compatible with."""
        if self.defied:
            return
        for tag in self.live():
            wanted = self.schema.wants(self.builds[tag])
            insist(wanted is None, f"{tag} is live and misses {wanted}")

    def insist_that_the_way_back_is_open(self) -> None:
        """
        The second theorem: a release that had traffic can take it back at once.

        Until a contract that it lacks has begun, unless somebody gave it up by name, or its rows counted on code and
        traffic has been without that code.
        """
        if self.defied:
            return
        facts = self.facts(self.trees[-1])
        for tag in self.left_at:
            release = self.builds[tag]
            if tag in self.given_up or self._has_lost_its_way_back(release):
                continue
            wanted = self.schema.wants(release)
            insist(wanted is None, f"{tag} can't go back, since it misses {wanted}")
            refusals = gate.traffic_refusals(release, facts)
            insist(not refusals, f"{tag} may not go back: {[refusal.because for refusal in refusals]}")

    def _has_lost_its_way_back(self, release: Release) -> bool:
        contracts = (revision for revision, held in self.schema.held.items() if not held.has_old_shape)
        return not release.ships.issuperset(contracts) or self.schema.lost_what_code_kept(release)

    def _insist_that_windows_have_closed(self, authored: Authored) -> None:
        """The second theorem's other half: no contract begins before its window has closed."""
        for tag, left in self.left_at.items():
            if authored.revision in self.builds[tag].ships or tag in self.given_up:
                continue
            insist(tag not in self.live(), f"contract {authored.revision}: {tag} is live and lacks it")
            closes = left + authored.change.contract_after + self._control(authored).extended
            insist(closes <= self.now, f"contract {authored.revision}: the window of {tag} is open until {closes}")
