"""The demo's story as a person reads it."""

from __future__ import annotations

import pytest

from expandcontract.cli.demo import Teller


def test_a_command_is_shown_as_it_would_be_typed(capsys: pytest.CaptureFixture[str]) -> None:
    Teller().command("release-1", "ec colour traffic blue=100")

    assert capsys.readouterr().out == "   release-1 $ ec colour traffic blue=100\n"
