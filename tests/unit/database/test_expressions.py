"""The SQL that an author's declarations become."""

from __future__ import annotations

from expandcontract.database.expressions import all_equal, assignments, expression, qualified, unfilled
from expandcontract.domain.change import Backfill, Sync

SYNC = Sync("users", forward={"b": "lower(a)"}, backward={"a": "upper(b)"})
TYPES = {"a": "text", "b": "character varying(10)"}


def text(composable):
    return composable.as_string(None)


def test_names_are_quoted_and_expressions_are_not():
    assert text(qualified('us"ers', "a b")) == '"a b"."us""ers"'
    assert text(qualified("users")) == '"users"'
    assert text(assignments({"a": "x + 1", "b": "'{} %s'"})) == """"a" = (x + 1), "b" = ('{} %s')"""


def test_a_comment_at_the_end_swallows_nothing():
    assert text(expression("a -- the name")) == "(a -- the name\n)"


def test_with_types_the_stored_values_are_compared():
    assert text(all_equal({"b": "lower(a)"})) == '"b" IS NOT DISTINCT FROM (lower(a))'
    assert text(all_equal({"b": "lower(a)"}, TYPES)) == (
        'ROW(CAST("b" AS character varying(10)))::pg_catalog.record'
        " *= ROW(CAST((lower(a)) AS character varying(10)))::pg_catalog.record"
    )


def test_a_row_is_wrong_until_either_side_follows_from_the_other():
    strict = text(unfilled(Backfill(SYNC), new_code_wrote=False))
    tolerant = text(unfilled(Backfill(SYNC), new_code_wrote=True))

    assert strict == 'NOT ("b" IS NOT DISTINCT FROM (lower(a)))'
    assert tolerant == f'{strict} AND NOT ("a" IS NOT DISTINCT FROM (upper(b)))'


def test_a_required_column_that_is_missing_makes_a_row_wrong_whatever_else_holds():
    sync = Sync("users", forward=SYNC.forward, backward=SYNC.backward, not_null=True)

    condition = text(unfilled(Backfill(sync), new_code_wrote=True))
    assert condition.startswith('("b" IS NULL OR NOT (')


def test_a_where_of_the_authors_own_decides_alone():
    backfill = Backfill("users", set={"a": "1"}, where="a IS NULL")

    assert text(unfilled(backfill, new_code_wrote=True)) == "(a IS NULL)"
    assert (
        text(unfilled(Backfill("users", set={"a": "1"}), new_code_wrote=True)) == 'NOT ("a" IS NOT DISTINCT FROM (1))'
    )
