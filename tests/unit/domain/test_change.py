from __future__ import annotations

from collections.abc import Callable

import pytest

from expandcontract.domain.change import Backfill, Change, Sync
from expandcontract.domain.footprint import Footprint, Touched
from expandcontract.domain.phase import Phase
from tests.unit.domain.samples import SYNC, WINDOW


def test_a_sync_knows_its_old_and_new_columns() -> None:
    sync = Sync("users", forward={"first": "…", "last": "…"}, backward={"name": "…"}, reads=("suffix", "name"))

    assert sync.new_columns == ("first", "last")
    assert sync.old_columns == ("name", "suffix")


def test_a_sync_that_cannot_compute_back_names_what_it_reads() -> None:
    sync = Sync("users", forward={"initial": "left(name, 1)"}, reads=("name",))

    assert sync.old_columns == ("name",)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: Sync("users", forward={}, backward={"name": "display_name"}), "needs forward="),
        (lambda: Sync("users", forward={"display_name": "name"}), "needs reads="),
        (lambda: Sync("users", forward={"name": "upper(name)"}, backward={"name": "name"}), "name can't be both"),
        (lambda: Sync("users", forward={"initial": "name"}, reads=("initial",)), "initial can't be both"),
        (lambda: Sync("users", forward={"display_name": " "}, reads=("name",)), "Sync forward: 'display_name': ' '"),
        (lambda: Sync("users", forward={"": "name"}, reads=("name",)), "Sync forward: '': 'name'"),
        (lambda: Sync("users", forward={"a": "b"}, backward={"b": ""}), "Sync backward: 'b': ''"),
        (lambda: Sync("users", forward={"a": 1}, reads=("b",)), "Sync forward: 'a': 1"),  # type: ignore[dict-item]
        (lambda: Backfill("users"), r"Backfill\('users'\) needs one of set=.* and has none"),
        (lambda: Backfill("users", set={}), "and has none"),
        (lambda: Backfill("users", set={"a": "b"}, sql="DELETE FROM users WHERE :range"), "and has set and sql"),
        (lambda: Backfill("users", sql="DELETE FROM users WHERE :range"), "sql=…. needs where="),
        (lambda: Backfill("users", sql="SELECT 'a'::range, :ranges", where="true"), "needs :range where"),
        (lambda: Backfill("users", transform=list, where="true"), "needs fills="),
        (lambda: Backfill("users", transform=list, fills=("a",)), "transform=…. needs where="),
        (lambda: Backfill("users", set={"a": "b"}, reads=("b",)), "no other kind has reads"),
        (lambda: Backfill(SYNC, transform=list), "from the Sync"),
        (lambda: Backfill(SYNC, batch=0), "Backfill batch is a number of rows"),
        (lambda: Backfill(SYNC, lock_timeout="soon"), "'soon' is not a duration"),
        (lambda: Backfill(SYNC, statement_timeout="0s"), "statement_timeout must be more than 0"),
        (lambda: Backfill("users", set={"email": ""}), "Backfill set: 'email': ''"),
        (lambda: Backfill(SYNC, set={"email": "lower(email)"}), "from the Sync"),
        (lambda: Backfill(SYNC, where="true"), "from the Sync"),
        (lambda: Backfill(SYNC, schema="app"), "from the Sync"),
        (lambda: Backfill(SYNC, rate=0), "at least 1, not 0"),
        (lambda: Backfill("users", set={"a": "b"}, rate=-5), "at least 1, not -5"),
    ],
)
def test_a_declaration_that_means_nothing_is_refused_when_the_file_is_read(
    declare: Callable[[], object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        declare()


def test_a_backfill_of_a_sync_fills_its_new_shape() -> None:
    backfill = Backfill(Sync("users", forward={"display_name": "name"}, reads=("name",), schema="app"))

    assert (backfill.table_schema, backfill.table) == ("app", "users")
    assert backfill.assignments == {"display_name": "name"}


def test_a_backfill_of_a_table_sets_what_it_names() -> None:
    backfill = Backfill("users", set={"email": "lower(email)"}, where="email <> lower(email)", schema="app")

    assert (backfill.table_schema, backfill.table) == ("app", "users")
    assert backfill.assignments == {"email": "lower(email)"}


@pytest.mark.parametrize(
    ("backfill", "contract_parts", "phases"),
    [
        (None, (), [Phase.EXPAND]),
        (Backfill(SYNC), (), [Phase.EXPAND, Phase.BACKFILL]),
        (None, ("contract",), [Phase.EXPAND, Phase.CONTRACT]),
        (Backfill(SYNC), ("contract",), [Phase.EXPAND, Phase.BACKFILL, Phase.CONTRACT]),
    ],
)
def test_a_change_has_the_phases_that_its_author_wrote(
    backfill: Backfill | None, contract_parts: tuple[str, ...], phases: list[Phase]
) -> None:
    change = Change("8c1f", "rename", WINDOW, contract_parts=contract_parts, backfill=backfill)

    assert list(change.phases) == phases


def test_the_parts_of_a_phase_keep_their_order_and_a_backfill_has_none() -> None:
    change = Change("8c1f", "rename", WINDOW, ("add", "index"), ("require", "remove"), Backfill(SYNC))

    assert change.parts(Phase.EXPAND) == ("add", "index")
    assert change.parts(Phase.BACKFILL) == ()
    assert change.parts(Phase.CONTRACT) == ("require", "remove")


def test_a_footprint_that_nobody_found_out_is_unknown() -> None:
    known = Footprint.of([Touched("users")])
    change = Change("8c1f", "rename", WINDOW, footprints={Phase.EXPAND: known})

    assert change.footprint(Phase.EXPAND) == known
    assert not change.footprint(Phase.CONTRACT).known
