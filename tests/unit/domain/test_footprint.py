from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.footprint import UNKNOWN, Footprint, Touched

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
    ],
)
def test_two_objects_meet_where_they_may_be_the_same(one: Touched, other: Touched, meets: bool) -> None:
    assert one.meets(other) is meets
    assert other.meets(one) is meets


@pytest.mark.parametrize(
    ("touched", "text"),
    [(USERS, "users"), (NAME, "users.name"), (Touched("users", "name", "app"), "app.users.name")],
)
def test_an_object_reads_as_sql_names_it(touched: Touched, text: str) -> None:
    assert str(touched) == text


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (Footprint.of([NAME]), Footprint.of([EMAIL]), None),
        (Footprint.of([NAME, ORDERS]), Footprint.of([NAME]), "users.name"),
        (Footprint.of([NAME]), Footprint.of([USERS]), "users.name"),  # the narrower name says more
        (Footprint.of([USERS]), Footprint.of([NAME]), "users.name"),
        (Footprint.of([USERS]), Footprint.of([USERS]), "users"),
        (Footprint(), Footprint.of([USERS]), None),
        (UNKNOWN, Footprint.of([USERS]), "?"),
        (Footprint.of([USERS]), UNKNOWN, "?"),
        (UNKNOWN, Footprint(), "?"),  # what can't be known meets even what touches nothing
        (UNKNOWN, UNKNOWN, "?"),
    ],
)
def test_footprints_meet_in_a_common_object_which_is_named(
    one: Footprint, other: Footprint, common: str | None
) -> None:
    assert one.meeting(other) == common


touches = st.builds(
    Touched,
    st.sampled_from(["users", "orders"]),
    st.sampled_from([None, "name", "email"]),
    st.sampled_from([None, "app", "audit"]),
)
footprints = st.builds(Footprint, st.frozensets(touches, max_size=4), st.booleans())


@given(footprints, footprints)
def test_meeting_is_mutual(one: Footprint, other: Footprint) -> None:
    assert (one.meeting(other) is None) == (other.meeting(one) is None)
