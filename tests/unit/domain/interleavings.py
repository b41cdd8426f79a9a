"""Every interleaving of authoring, deploying, shifting, migrating, undoing, crashing and waiting, as rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.unit.domain.design import Design
from tests.unit.domain.physical_schema import Authored, Tree
from tests.unit.domain.world import WHOLE, World

Any = TypeVar("Any")

COLOURS = ("blue", "green", "violet")
USERS, ORDERS = frozenset({"users"}), frozenset({"orders"})

MOST_CHANGES = 5  # few, so that they get into each other's way

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

nth = st.sampled_from([0, 0, 0, 1, 2, 3])  # counted from the newest
colours = st.sampled_from(COLOURS)
progress = st.sampled_from([WHOLE, WHOLE, 1])  # the whole step, or one part before a crash
lengths = st.sampled_from([timedelta(), HOUR, DAY, 4 * DAY])
touches = st.sampled_from([USERS, ORDERS, USERS | ORDERS])
designs = st.builds(
    Design,
    touches=touches,
    contracts=st.booleans(),
    contract_touches=st.sampled_from([None, None, USERS, ORDERS]),
    backfills=st.booleans(),
    required=st.booleans(),
    kept_right_by=st.sampled_from(["sync", "code", "nothing"]),
    window=st.sampled_from([DAY, timedelta(), 3 * DAY]),
    parts=st.sampled_from([1, 2]),
    footprints_known=st.sampled_from([True, True, False]),
    spares_what_waits=st.booleans(),
)


def newest(known: Sequence[Any], number: int) -> Any:
    """The newest for 0, the one before it for 1, and round again."""
    return known[-1 - number % len(known)]


class Interleavings(RuleBasedStateMachine):
    """One world, and everything that people do in it, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World.begun()
        self.everybody_asks = True

    @initialize(everybody_asks=st.sampled_from([True, True, False]))
    def agree(self, everybody_asks: bool) -> None:
        self.everybody_asks = everybody_asks

    def tree(self, number: int) -> Tree:
        return newest(self.world.trees, number)

    def change(self, tree: Tree, number: int) -> Authored | None:
        return newest(tree, number) if tree else None

    def release(self, number: int) -> str:
        return newest(list(self.world.builds), number)

    # authors

    def may_author(self) -> bool:
        return self.world.authored < MOST_CHANGES

    @precondition(may_author)
    @rule(design=designs, base=st.sampled_from([0, 0, 0, 1, 2]))
    def author(self, design: Design, base: int) -> None:
        self.world.author(design, self.tree(base))

    @rule(tree=nth)
    def rebase(self, tree: int) -> None:
        self.world.rebase(self.tree(tree))

    @rule(tree=nth, other=nth)
    def merge(self, tree: int, other: int) -> None:
        self.world.merge(self.tree(tree), self.tree(other))

    # releases and traffic

    @rule(tree=nth)
    def build(self, tree: int) -> None:
        self.world.build(self.tree(tree))

    @rule(colour=colours, release=nth)
    def deploy(self, colour: str, release: int) -> None:
        self.world.deploy(colour, self.release(release))

    @rule(weights=st.tuples(*[st.sampled_from([50, 1, 0])] * len(COLOURS)))
    def shift(self, weights: tuple[int, ...]) -> None:
        self.world.shift(dict(zip(COLOURS, weights, strict=True)))

    @rule(colour=colours, release=nth)
    def send_a_canary(self, colour: str, release: int) -> None:
        weights = {name: weight for name, (_, weight) in self.world.slots.items()}
        if self.world.deploy(colour, self.release(release)):
            self.world.shift({**weights, colour: 1})

    @rule(colour=colours, release=st.integers(-2, 2))
    def cut_over(self, colour: str, release: int) -> None:
        known = list(self.world.builds)
        self.world.cut_over(colour, known[release % len(known)])

    @rule(colour=colours)
    def retire(self, colour: str) -> None:
        self.world.retire(colour)

    @rule(length=lengths)
    def pass_time(self, length: timedelta) -> None:
        self.world.pass_time(length)

    # steps

    @rule(tree=nth, change=nth, parts=progress)
    def expand(self, tree: int, change: int, parts: int) -> None:
        if authored := self.change(self.tree(tree), change):
            self.world.expand(authored, self.tree(tree), parts)

    @rule(tree=nth)
    def expand_all(self, tree: int) -> None:
        self.expand_tree(self.tree(tree))

    @rule(tree=nth, change=nth, crashes=st.booleans())
    def backfill(self, tree: int, change: int, crashes: bool) -> None:
        if authored := self.change(self.tree(tree), change):
            self.world.backfill(authored, self.tree(tree), crashes=crashes)

    @rule(tree=nth, change=nth, parts=progress)
    def contract(self, tree: int, change: int, parts: int) -> None:
        if authored := self.change(self.tree(tree), change):
            self.world.contract(authored, self.tree(tree), parts)

    @rule(tree=nth, length=lengths)
    def wait_and_contract_all(self, tree: int, length: timedelta) -> None:
        self.wait_and_contract(self.tree(tree), length)

    @rule(tree=nth, change=nth, everybody=st.booleans())
    def undo(self, tree: int, change: int, everybody: bool) -> None:
        if authored := self.change(self.tree(tree), change):
            self.world.undo(authored, self.tree(tree), give_up=list(self.world.builds) if everybody else [])

    @rule(everybody=st.booleans(), in_the_dark=st.booleans())
    def undo_the_latest(self, everybody: bool, in_the_dark: bool) -> None:
        if in_the_dark:
            self.world.shift({})
        if held := list(self.world.schema.held.values()):
            latest = held[-1].authored
            tree = next(tree for tree in reversed(self.world.trees) if latest in tree)
            self.world.undo(latest, tree, give_up=list(self.world.builds) if everybody else [])

    @rule(tree=nth, change=nth)
    def amend(self, tree: int, change: int) -> None:
        if authored := self.change(self.tree(tree), change):
            self.world.amend(authored, self.tree(tree))

    # whole lives

    @precondition(may_author)
    @rule(design=designs, colour=colours, length=lengths)
    def author_release_and_contract(self, design: Design, colour: str, length: timedelta) -> None:
        tree = self.world.author(design, self.tree(0))
        self.world.release(colour, tree)
        self.wait_and_contract(tree, length)

    @precondition(may_author)
    @rule(design=designs, base=nth)
    def branch_and_merge(self, design: Design, base: int) -> None:
        trunk = self.tree(0)
        branch = self.world.author(design, self.tree(base))
        self.expand_tree(branch)
        self.expand_tree(self.world.merge(trunk, branch))

    @precondition(lambda self: self.may_author() and not self.everybody_asks)
    @rule(design=designs, colour=colours)
    def author_and_defy_the_check(self, design: Design, colour: str) -> None:
        tree = self.world.author(replace(design, contracts=True), self.tree(0))
        self.world.defy(colour, self.world.build(tree))
        self.wait_and_contract(tree, 4 * DAY)

    @precondition(may_author)
    @rule(design=designs, colour=colours, began=st.booleans(), amends=st.sampled_from(["nobody", "newer", "both"]))
    def contract_what_others_rewrote(self, design: Design, colour: str, began: bool, amends: str) -> None:
        design = replace(design, contract_touches=None, footprints_known=True, window=DAY)
        following = replace(design, contracts=False, backfills=False, parts=1)
        first = self.world.author(replace(design, contracts=True), self.tree(0))
        self.world.release(colour, first)
        if began:
            self.world.pass_time(4 * DAY)
            self.world.contract(first[-1], first, parts=1)
        older = self.world.author(following, first)
        newer = self.world.author(replace(following, spares_what_waits=True), older)
        if amends != "nobody":
            self.amend_tree(newer)
        self.world.expand(newer[-2], newer)
        if amends == "both":
            self.amend_tree(older)
            self.amend_tree(first)
        self.world.pass_time(4 * DAY)
        self.contract_tree(older)
        self.contract_tree(newer)

    @precondition(may_author)
    @rule(first=designs, second=designs, colour=colours, base=nth, merges=st.booleans())
    def contract_from_one_of_two_branches(
        self, first: Design, second: Design, colour: str, base: int, merges: bool
    ) -> None:
        trunk = self.world.author(
            replace(first, contracts=True, touches=ORDERS, contract_touches=USERS), self.tree(base)
        )
        branch = self.world.author(replace(second, contracts=True, contract_touches=USERS), self.tree(base + 1))
        self.world.release(colour, self.world.merge(trunk, branch))
        self.world.pass_time(4 * DAY)
        ours = self.world.merge(branch, trunk) if merges else branch
        self.contract_tree(ours)
        if merges:
            self.world.undo(ours[-1], ours, give_up=list(self.world.builds))

    @precondition(may_author)
    @rule(first=designs, second=designs, colour=colours)
    def contract_the_newest_first(self, first: Design, second: Design, colour: str) -> None:
        first = replace(first, contracts=True, contract_touches=USERS)
        second = replace(second, contracts=True, touches=ORDERS, contract_touches=USERS)
        tree = self.world.author(second, self.world.author(first, self.tree(0)))
        self.world.release(colour, tree)
        self.world.pass_time(4 * DAY)
        for authored in reversed(tree):
            self.world.contract(authored, tree)

    @rule(tree=nth, colour=colours, length=lengths)
    def release_and_contract(self, tree: int, colour: str, length: timedelta) -> None:
        self.world.release(colour, self.tree(tree))
        self.wait_and_contract(self.tree(tree), length)

    def expand_tree(self, tree: Tree) -> None:
        for authored in tree:
            self.world.expand(authored, tree)

    def amend_tree(self, tree: Tree) -> None:
        for authored in tree:
            self.world.amend(authored, tree)

    def contract_tree(self, tree: Tree) -> None:
        for authored in tree:
            self.world.contract(authored, tree)

    def wait_and_contract(self, tree: Tree, length: timedelta) -> None:
        self.world.pass_time(length)
        self.contract_tree(tree)

    # promises

    @invariant()
    def live_releases_work(self) -> None:
        self.world.insist_that_live_releases_work()

    @invariant()
    def the_way_back_is_open(self) -> None:
        self.world.insist_that_the_way_back_is_open()


class WithDecisions(Interleavings):
    """The same, and somebody decides about windows. Apart, for the more there is to do, the rarer is each order."""

    @rule(tree=nth, change=nth, length=lengths, colour=colours, release=nth)
    def decide_about_a_window(self, tree: int, change: int, length: timedelta, colour: str, release: int) -> None:
        if authored := self.change(self.tree(tree), change):
            if length:
                self.world.extend_window(authored, self.tree(tree), length)
            else:
                self.world.close_window(authored, self.tree(tree))
                self.world.cut_over(colour, self.release(release))  # who knows whether it lacks the change
            self.world.contract(authored, self.tree(tree))
