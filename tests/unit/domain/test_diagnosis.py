"""The diagnosis is a list of pure checks: names, weights, order, and what can't be had of a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from expandcontract.domain.diagnosis import CHECKS, diagnose, name_of
from expandcontract.domain.ladder import attempts, longest_wait
from expandcontract.domain.risks.risk import Weight, listed
from expandcontract.domain.risks.seen import Limits, Login, Seen, Setting, Trouble

LIMITS = Limits(timedelta(milliseconds=1200), timedelta(minutes=10))
SOUND = Login(
    way="env.py's engine",
    role="runner",
    database="shop",
    version=180000,
    is_superuser=False,
    is_standby=False,
    is_read_only=False,
    is_pooled=False,
    hosts=(),
    schema="public",
    creates_in_schema=True,
    creates_schemas=True,
    lacks_in_ledger=(),
    sees_others=True,
    cancels_others=False,
    settings=(),
    foreign=(),
)


def names(seen: Seen) -> list[str]:
    return [risk.name for risk in diagnose(seen)]


def test_nothing_seen_is_nothing_found() -> None:
    assert diagnose(Seen(LIMITS)) == ()
    assert diagnose(Seen(LIMITS, logins=(SOUND,))) == ()


def test_names_are_the_functions_and_no_two_are_alike() -> None:
    assert len({name_of(check) for check in CHECKS}) == len(CHECKS)
    assert all(check.__doc__ for check in CHECKS)


@pytest.mark.parametrize(("version", "found"), [(130022, ["old-server"]), (140000, []), (180004, [])])
def test_a_server_before_14_is_too_old(version: int, found: list[str]) -> None:
    assert names(Seen(LIMITS, logins=(replace(SOUND, version=version),))) == found


def test_what_makes_a_step_fail_comes_first_and_nothing_twice() -> None:
    login = replace(SOUND, is_superuser=True, is_read_only=True)
    found = diagnose(Seen(LIMITS, logins=(login, login), troubles=(Trouble("a", "b", "c"),)))

    assert [(risk.name, risk.weight) for risk in found] == [
        ("read-only", Weight.FAILS),
        ("project-unusable", Weight.FAILS),
        ("superuser", Weight.RISKY),
    ]


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ("user", "ALTER ROLE runner RESET statement_timeout"),
        ("database user", "ALTER ROLE runner IN DATABASE shop RESET statement_timeout"),
        ("client", "leave statement_timeout out of the connection's options"),
    ],
)
def test_a_setting_is_reset_where_it_was_set(source: str, remedy: str) -> None:
    login = replace(SOUND, settings=(Setting("statement_timeout", "7s", source),))

    (risk,) = diagnose(Seen(LIMITS, logins=(login,)))

    assert risk.remedy == remedy


def test_the_longest_wait_is_the_last_rung() -> None:
    tries = attempts(LIMITS.lock_timeout)
    waits = [next(tries).lock_timeout for _ in range(9)]

    assert longest_wait(LIMITS.lock_timeout) == max(waits)


def test_of_many_names_the_first_are_listed() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
