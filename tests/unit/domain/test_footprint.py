from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.footprint import EVERYTHING, Footprint, Touched

USERS = Touched("users")
NAME = Touched("users", "name")
EMAIL = Touched("users", "email")
ORDERS = Touched("orders")


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        (USERS, USERS, True),
        (NAME, NAME, True),
        (USERS, NAME, True),  # the table as a whole is each of its columns
        (NAME, EMAIL, False),
        (USERS, ORDERS, False),
        (NAME, Touched("orders", "name"), False),
        (Touched("users", schema="app"), Touched("users", schema="app"), True),
        (Touched("users", schema="app"), Touched("users", schema="audit"), False),
        (Touched("users", schema="app"), USERS, True),  # the search path may lead there
        (Touched("users", "name", "app"), NAME, True),
        (Touched("users", "name", "app"), EMAIL, False),
        (Touched("users", "name", "app"), Touched("users", schema="audit"), False),
        (EVERYTHING, NAME, True),
        (Touched(None, schema="app"), NAME, True),  # the search path may lead there
        (Touched(None, schema="app"), Touched("users", "name", "app"), True),
        (Touched(None, schema="app"), Touched("users", "name", "audit"), False),
    ],
)
def test_two_objects_meet_where_they_may_be_the_same(one: Touched, other: Touched, meets: bool) -> None:
    assert one.meets(other) is meets
    assert other.meets(one) is meets


@pytest.mark.parametrize(
    ("touched", "text"),
    [
        (USERS, "users"),
        (NAME, "users.name"),
        (Touched("users", "name", "app"), "app.users.name"),
        (Touched(None, schema="app"), "everything in schema app"),
        (EVERYTHING, "everything"),
    ],
)
def test_an_object_reads_as_sql_names_it(touched: Touched, text: str) -> None:
    assert str(touched) == text


NO_CONNECTION = Footprint(unknown="upgrade() needs a connection")
UNTOLD = "what one of them touches can't be told: upgrade() needs a connection"


@pytest.mark.parametrize(
    ("one", "other", "because"),
    [
        (Footprint.of([NAME]), Footprint.of([EMAIL]), None),
        (Footprint.of([NAME, ORDERS]), Footprint.of([NAME]), "both touch users.name"),
        (Footprint.of([NAME]), Footprint.of([USERS]), "both touch users.name"),  # the narrower name says more
        (Footprint.of([USERS]), Footprint.of([NAME]), "both touch users.name"),
        (Footprint.of([USERS]), Footprint.of([USERS]), "both touch users"),
        (Footprint(), Footprint.of([USERS]), None),
        (Footprint.of([NAME]), Footprint.of([ORDERS], uses=[NAME]), "both touch users.name"),
        (Footprint.of([EMAIL], uses=[NAME]), Footprint.of([ORDERS], uses=[NAME]), None),  # who only looks is in no way
        (NO_CONNECTION, Footprint.of([USERS]), UNTOLD),
        (Footprint.of([USERS]), NO_CONNECTION, UNTOLD),
        (NO_CONNECTION, Footprint(), UNTOLD),  # what can't be told meets even what touches nothing
    ],
)
def test_footprints_meet_where_one_changes_what_the_other_touches(
    one: Footprint, other: Footprint, because: str | None
) -> None:
    assert one.meeting(other) == because


touches = st.builds(
    Touched,
    st.sampled_from(["users", "orders", None]),
    st.sampled_from([None, "name", "email"]),
    st.sampled_from([None, "app", "audit"]),
)
footprints = st.builds(
    Footprint, st.frozensets(touches, max_size=4), st.frozensets(touches, max_size=4), st.sampled_from([None, "?"])
)


@given(footprints, footprints)
def test_meeting_is_mutual(one: Footprint, other: Footprint) -> None:
    assert (one.meeting(other) is None) == (other.meeting(one) is None)


@given(footprints, footprints, footprints)
def test_who_meets_a_part_meets_the_whole(one: Footprint, more: Footprint, other: Footprint) -> None:
    if one.meeting(other):
        assert (one | more).meeting(other)
