"""What proofs and tombstones mean to the gate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from expandcontract.domain.evidence import Verdict
from expandcontract.domain.facts import Facts
from expandcontract.domain.footprint import Touched
from expandcontract.domain.gate import (
    refusals,
    schema_refusals,
    tombstone_refusals,
    traffic_refusals,
    undo_refusals,
)
from expandcontract.domain.phase import Phase
from expandcontract.domain.proof import Answer, Means, Proof, Sign, Word, outranked, worst
from expandcontract.domain.refusal import Code
from expandcontract.domain.removal import Removal, Removed
from expandcontract.domain.tombstone import Tombstone
from tests.unit.domain.samples import DAY, NOW, change, facts, moved, release, states

NAME = Removed("users", "name")
CHANGE = replace(change(), removal=Removal((NAME,)))
OLD, NEW = release("1"), release("2", "8c1f")
ALLOWED = facts(CHANGE, steps=states(r8c1f="expand done"), router=moved(OLD, NEW, NOW - 15 * DAY))
SEEN = Sign(Means.STATEMENTS, Verdict.SEEN, NAME, "role app_blue on primary names it: SELECT name FROM users")
DECLARED = Sign(Means.MODELS, Verdict.SEEN, NAME, "the models of release 2 declare it, and it is live")
UNKNOWN = Sign(Means.STATEMENTS, Verdict.INCONCLUSIVE, None, "primary: pg_stat_statements was reset")
TAKEN = Removed("users", "name", "public")


def stood(length: timedelta, *taken: Removed, reaches: tuple[str, ...] = ()) -> Facts:
    stone = Tombstone("8c1f", NOW - length, taken or (TAKEN,), reaches)
    return replace(ALLOWED, soak=DAY, tombstones={"8c1f": stone})


def codes(found: Facts) -> list[Code]:
    return [refusal.code for refusal in refusals(CHANGE, Phase.CONTRACT, found)]


def test_what_models_declare_is_a_refusal_of_its_own_and_a_tombstone_would_break_them_as_well() -> None:
    found = replace(ALLOWED, proofs={"8c1f": Proof((NAME,), (DECLARED,))})
    assert codes(found) == [Code.DECLARED]
    assert codes(replace(found, proofs={"8c1f": Proof((NAME,), (DECLARED, UNKNOWN))})) == [Code.DECLARED, Code.UNPROVEN]
    assert [refusal.code for refusal in tombstone_refusals(CHANGE, found)] == [Code.DECLARED]


def test_a_release_whose_models_declare_what_is_gone_takes_no_traffic_whatever_it_ships() -> None:
    contracted = replace(ALLOWED, steps=states(r8c1f="expand done, contract done"))
    found = replace(contracted, gone={"2": {"8c1f": (NAME,)}, "1": {"8c1f": (NAME,)}})

    assert traffic_refusals(NEW, contracted) == ()
    (no,) = traffic_refusals(NEW, found)
    assert (no.code, no.because) == (
        Code.CONTRACTED,
        "the models of release 2 declare users.name, which it removed",
    )
    assert [no.code for no in schema_refusals(NEW, found)] == [Code.CONTRACTED]
    assert len(traffic_refusals(OLD, found)) == 1, "which lacks the change, and is told that alone"

    (no,) = traffic_refusals(NEW, replace(stood(DAY), gone={"2": {"8c1f": (TAKEN,)}}))
    assert (no.code, no.next) == (Code.TOMBSTONE, "ec tombstone 8c1f --undo")


@pytest.mark.parametrize("read", list(Verdict))
def test_the_servers_word_outranks_what_the_parser_read(read: Verdict) -> None:
    assert outranked(read, Word(Answer.TOUCHES)) is Verdict.SEEN
    assert outranked(read, Word(Answer.SPARES)) is Verdict.CLEAR
    assert outranked(read, Word(Answer.UNKNOWN, "syntax error")) is read
    assert outranked(read, None) is read


def test_the_worst_sign_decides() -> None:
    assert worst([]) is Verdict.CLEAR
    assert Proof(signs=(UNKNOWN, SEEN)).verdict is Verdict.SEEN
    assert Proof(signs=(UNKNOWN,)).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("signs", "expected"), [((), []), ((UNKNOWN,), [Code.UNPROVEN]), ((UNKNOWN, SEEN), [Code.REFERRED_TO])]
)
def test_a_contract_is_refused_unless_the_proof_is_clear(signs: tuple[Sign, ...], expected: list[Code]) -> None:
    found = replace(ALLOWED, proofs={"8c1f": Proof((NAME,), signs)})

    assert codes(found) == expected
    assert tombstone_refusals(CHANGE, found) == (), "which is there to find out"


def test_the_refusal_has_the_facts() -> None:
    (no,) = refusals(CHANGE, Phase.CONTRACT, replace(ALLOWED, proofs={"8c1f": Proof((NAME,), (SEEN, SEEN, UNKNOWN))}))

    assert no.because == (
        "statements is seen: users.name: role app_blue on primary names it: SELECT name FROM users; and 1 more"
    )
    assert no.next.startswith("ec prove 8c1f")


def test_a_drop_waits_for_its_soak_to_the_second() -> None:
    assert codes(replace(ALLOWED, soak=None)) == []
    assert codes(replace(ALLOWED, soak=timedelta(0))) == [Code.NO_TOMBSTONE]
    assert codes(stood(DAY - timedelta(seconds=1))) == [Code.SOAKING]
    assert codes(stood(DAY)) == []
    assert codes(stood(DAY, Removed("users", None, "public"))) == []


def test_a_tombstone_on_something_else_or_that_does_not_hold_is_none() -> None:
    assert codes(stood(2 * DAY, Removed("users", "age", "public"))) == [Code.NO_TOMBSTONE]
    assert codes(stood(2 * DAY, reaches=("app (the owner)",))) == [Code.NO_TOMBSTONE]


def test_nobody_waits_for_the_soak_of_what_is_not_dropped() -> None:
    renamed = replace(CHANGE, removal=Removal((replace(NAME, is_renamed=True),)))

    assert refusals(renamed, Phase.CONTRACT, replace(ALLOWED, tree=(renamed,), soak=DAY)) == ()


def test_a_release_that_lacks_the_change_is_kept_from_traffic_by_a_tombstone() -> None:
    found = stood(DAY)

    for ask in (traffic_refusals, schema_refusals):
        (no,) = ask(OLD, found)
        assert (no.code, no.next) == (Code.TOMBSTONE, "ec tombstone 8c1f --undo")
        assert "release 1 lacks 8c1f, and a tombstone keeps it from public.users.name" in no.because
        assert ask(NEW, found) == ()


def test_an_expand_is_not_undone_below_a_tombstone() -> None:
    assert Code.TOMBSTONE in {no.code for no in undo_refusals(CHANGE, stood(DAY), frozenset())}


def test_what_a_contract_takes_along_by_name_does_not_stand_on_it() -> None:
    removal = Removal((NAME,), frozenset([Touched("users", "old_trigger"), Touched("names")]))

    assert removal.takes(Touched("users", "old_trigger", "public"))
    assert removal.takes(Touched("names", None, "public"))
    assert not removal.takes(Touched("users", "other_trigger", "public"))
    assert not removal.takes(Touched("more_names", None, "public"))
