"""How a session says which release it belongs to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.domain.mark import LONGEST, marked, release_of

NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=100)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("shop", "shop colour=green release=42"),
        ("", "colour=green release=42"),
        ("shop colour=blue release=41", "shop colour=green release=42"),
        ("x" * 80, "x" * 39 + " colour=green release=42"),
    ],
)
def test_the_mark_follows_the_own_name(name: str, shown: str) -> None:
    assert marked(name, "green", "42") == shown


def test_a_commit_fits() -> None:
    commit = "4f2a" * 10

    assert marked("", "blue", commit).endswith(f"release={commit}")


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=80), NAMES, NAMES, st.lists(NAMES, max_size=5))
def test_every_mark_fits_and_means_its_release_alone(name: str, colour: str, release: str, others: list[str]) -> None:
    shown = marked(name, colour, release)

    assert len(shown.encode()) <= LONGEST
    # what PostgreSQL keeps of it
    kept = "".join(letter if " " <= letter <= "~" else "?" for letter in shown)
    found = release_of(kept, [other for other in others if other != release] + [release])
    assert found is not None
    assert found[1] == release


def test_a_name_without_a_mark_and_a_release_that_nobody_knows() -> None:
    assert release_of("shop", ["42"]) is None
    assert release_of("ec:build-7:4711", ["42"]) is None
    assert release_of("shop colour=green release=43", ["42"]) == ("colour=green release=43", None)
