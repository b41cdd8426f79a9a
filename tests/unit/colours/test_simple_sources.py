"""Sources that need no server: fixed, environment, file, link, command, ledger."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from expandcontract.colours.command import Command
from expandcontract.colours.file import File
from expandcontract.colours.ledger import LedgerSource
from expandcontract.colours.source import Scene, Source, Unanswered
from expandcontract.colours.static import Static
from expandcontract.domain.colour import Router
from expandcontract.domain.release import Release

SCENE = Scene(Router(), 5.0)
NOW = datetime(2025, 6, 2, 14, 10, tzinfo=UTC)


def says(source: Source, scene: Scene = SCENE) -> dict[str, int]:
    return dict(source.ask(scene).weights)


def refuses(source: Source, scene: Scene = SCENE) -> str:
    with pytest.raises(Unanswered) as why:
        source.ask(scene)
    return str(why.value)


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("green", {"green": 100}),
        (" green\n", {"green": 100}),
        ("blue=90 green=10", {"blue": 90, "green": 10}),
        ('{"blue": 1, "green": 0}', {"blue": 1, "green": 0}),
        ('"green"', {"green": 100}),
    ],
)
def test_a_fixed_answer(text: str, weights: dict[str, int]) -> None:
    assert says(Static(live=text)) == weights


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  \n", "nothing: the answer is empty"),
        ("blue green", "'blue green', which is neither"),
        ("blue=90 green", "neither"),
        ("blue=ninety", "neither"),
        ("{}", "neither"),
        ('{"blue": 0.5}', "neither"),
        ('{"blue": true}', "neither"),
        ("{blue", "no JSON"),
        ("blue=1 blue=2", "neither"),
    ],
)
def test_an_answer_that_cannot_be_understood_is_none(text: str, words: str) -> None:
    assert words in refuses(Static(live=text))


def test_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIVE", raising=False)
    assert refuses(Static(variable="LIVE")) == "nothing: the variable LIVE isn't set"

    monkeypatch.setenv("LIVE", "green")
    assert says(Static(variable="LIVE")) == {"green": 100}


def test_the_first_line_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "live"
    assert "No such file" in refuses(File(str(path)))

    path.write_text("")
    assert refuses(File(str(path))) == "nothing: the answer is empty"

    path.write_text("green\nsince Monday\n")
    answer = File(str(path)).ask(SCENE)
    assert answer.weights == {"green": 100}
    assert answer.switched_at == datetime.fromtimestamp(path.stat().st_mtime, UTC)


def test_the_name_that_a_link_points_to(tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to("releases/green")
    assert says(File(str(link), link=True)) == {"green": 100}

    link.unlink()
    link.write_text("green")
    assert "Invalid argument" in refuses(File(str(link), link=True))


def command(code: str) -> Command:
    return Command((sys.executable, "-c", code))


def test_what_a_command_prints() -> None:
    assert says(command("print('blue=75 green=25')")) == {"blue": 75, "green": 25}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("", "the answer is empty"),
        ("print('green'); import sys; sys.exit('lost the API')", "ended with status 1: lost the API"),
        ("import os; print('green', flush=True); os.kill(os.getpid(), 9)", "ended with status -9"),
    ],
)
def test_a_command_that_fails_or_says_nothing(code: str, words: str) -> None:
    assert words in refuses(command(code))


def test_a_command_that_hangs_or_is_not_there() -> None:
    assert "didn't end within 0.2 s" in refuses(command("import time; time.sleep(60)"), Scene(Router(), 0.2))
    assert "can't be run: No such file" in refuses(Command(("there-is-no-such-program",)))


def test_no_shell_takes_a_command_apart() -> None:
    assert says(Command((sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME;x"))) == {"$HOME;x": 100}


def test_the_ledger_says_what_was_recorded() -> None:
    assert refuses(LedgerSource()) == "that nobody has traffic"

    router = Router().deploy("green", Release("1", frozenset()), NOW).shift({"green": 100}, NOW)
    assert says(LedgerSource(), Scene(router, 5.0)) == {"green": 100}
