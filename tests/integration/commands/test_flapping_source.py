"""A router that flaps while contracts run: whatever it says at whichever moment, a part commits only under green."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fixtures.http_server import Asked, HttpServer, Reply
from tests.fixtures.project import AlembicProject

WITNESS = """
[tool.expandcontract]
observed_share = "0%"

[tool.expandcontract.colours.router]
source = "http"
url = "{url}/live"
"""

# `contract` has two parts, each its own transaction, and no two changes have anything in common
CHANGE = """
contract_after = "0s"


def upgrade():
    op.execute("CREATE TABLE shop_{number} (id int, one int, two int)")


def downgrade():
    op.execute("DROP TABLE shop_{number}")


def remove_one():
    op.drop_column("shop_{number}", "one")


def remove_two():
    op.drop_column("shop_{number}", "two")


contract = (remove_one, remove_two)
"""
LOOKS = 5  # the command's own, then one before and one at the end of each part

GREEN = Reply("green")
ANSWERS = {
    "green": GREEN,
    "blue": Reply("blue"),
    "both": Reply("blue=1 green=99"),
    "nothing": Reply(""),
    "an error": Reply("green", 503),
    "a stranger": Reply("purple"),
    "a redirect": Reply("", 302, (("Location", "/login"),)),
}

# mostly green, for others never come to a second part; and often one flip at any one of the looks of a run
flips = st.builds(
    lambda at, to, back: ["green"] * at + [to] + back,
    st.integers(0, LOOKS - 1),
    st.sampled_from(sorted(ANSWERS)),
    st.lists(st.sampled_from([*["green"] * 8, *ANSWERS]), max_size=LOOKS),
)

WORKED_UNDER_ANOTHER_COLOUR = """
SELECT done.id, done.revision, moved.facts
  FROM ec.event done
 CROSS JOIN LATERAL (SELECT facts FROM ec.event WHERE kind = 'traffic' AND id < done.id ORDER BY id DESC LIMIT 1) moved
 WHERE done.kind LIKE 'contract%done' AND moved.facts -> 'live' <> '["green"]'
"""

MadeShop = Callable[[int], AlembicProject]


@pytest.fixture
def make_shop(project: AlembicProject, web: HttpServer) -> MadeShop:
    """So many changes wait for their contracts, green ships them and is live, blue lacks them; the router is `web`."""

    def make(changes: int) -> AlembicProject:
        project.revision("0001", "def upgrade(): ...\n\n\ndef downgrade(): ...\n")
        project.ok("migrate", "expand")
        project.ok("colour", "deploy", "blue", "1")
        for number in range(changes):
            project.revision(revision(number), CHANGE.format(number=number), after=f"{number + 1:04}")
        project.ok("migrate", "expand")
        project.ok("colour", "deploy", "green", "2")
        project.ok("colour", "traffic", "green=100")
        project.write("pyproject.toml", WITNESS.format(url=web.url))
        web.replies["/live"] = GREEN
        return project

    return make


def revision(number: int) -> str:
    return f"{number + 2:04}"


def parts_done(shop: AlembicProject, number: int) -> int:
    """How many parts of its contract are done, as the table itself has it."""
    columns = shop.columns(f"shop_{number}")
    assert not ("one" in columns and "two" not in columns)
    return 2 - ("one" in columns) - ("two" in columns)


@pytest.mark.parametrize("examples", [3, pytest.param(40, marks=pytest.mark.long)])
def test_a_part_commits_only_if_every_look_until_then_said_green(
    make_shop: MadeShop, web: HttpServer, examples: int
) -> None:
    """Between two looks nobody asks, so the answers to the looks are all moments at which a router can flip."""
    unused = iter(range(examples + 2))  # hypothesis shows what it found once more
    shop = make_shop(examples + 2)

    @settings(max_examples=examples, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(flips)
    def property_(answers: list[str]) -> None:
        number, left = next(unused), list(answers)
        said: list[str] = []

        def flaps(asked: Asked) -> Reply:
            said.append(left.pop(0) if left else "green")
            return ANSWERS[said[-1]]

        web.replies["/live"] = flaps
        live, ended = "green", 3
        for _ in range(len(answers) + 3):
            said.clear()
            before = parts_done(shop, number)
            ended = shop.ec("migrate", "contract", revision(number)).code
            done = parts_done(shop, number)

            if done > before:
                assert set(said[: 1 + 2 * (done - before)]) == {"green"}, (said, before, done)
            assert ended == (0 if done == 2 else 3), (ended, said, before, done)
            if live == "green" and set(said) == {"green"}:
                assert done == 2, "nothing was in the way"
            live = said[0] if ANSWERS[said[0]].status == 200 and said[0] in ("green", "blue", "both") else live
            if done == 2:
                break
        assert ended == 0, "it comes to an end, once the router does"

    property_()
    assert shop.rows(WORKED_UNDER_ANOTHER_COLOUR) == []


@contextmanager
def flapping(web: HttpServer, seed: int) -> Iterator[None]:
    """A router that turns at random moments, and is on green half of the time."""
    ended, draw = threading.Event(), random.Random(seed)

    def turn() -> None:
        while not ended.wait(draw.uniform(0.01, 0.4)):
            web.replies["/live"] = draw.choice([*[GREEN] * len(ANSWERS), *ANSWERS.values()])

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        web.replies["/live"] = GREEN


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_it_holds_at_random_moments_while_others_observe_and_record(
    make_shop: MadeShop, web: HttpServer, seed: int
) -> None:
    """An observer and a pipeline write to the ledger while contracts are between gate and commit."""
    changes = 8
    shop, draw = make_shop(changes), random.Random(seed)
    codes = []
    with flapping(web, seed):
        shop.start("observe", "--every", "1s")
        for number in list(range(changes)) * 3:
            running = shop.start("migrate", "contract", revision(number), "--json")
            shop.ec("colour", "traffic", *draw.choice([("green=100",), ("green=100",), ("blue=100",)]))
            codes.append(running.end().code)
    assert shop.rows(WORKED_UNDER_ANOTHER_COLOUR) == []
    assert {0, 3} <= set(codes) <= {0, 3, 6}, "some ran, some were refused"

    for number in range(changes):
        shop.ec("observe")
        shop.ok("migrate", "contract", revision(number))
        assert parts_done(shop, number) == 2
