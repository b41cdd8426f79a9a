"""The tables of ``[tool.expandcontract.colours]``, kinds of other packages among them."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.colours.catalogue import BUILT_IN, kind_named
from expandcontract.colours.http import Http
from expandcontract.colours.source import Scene
from expandcontract.colours.witness import Witness
from expandcontract.commands.asking import ask_all
from expandcontract.config import Settings, load_settings
from expandcontract.domain.colour import Router
from expandcontract.domain.options import made_from
from expandcontract.errors import ConfigurationError


def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Settings:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(text)
    return load_settings(ProjectOptions(), {})


def test_each_table_is_a_witness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = settings(
        tmp_path,
        monkeypatch,
        """
        [tool.expandcontract]
        witnesses = 1
        [tool.expandcontract.colours.router]
        source = "http"
        url = "http://router/live"
        pointer = "/live"
        drain = "5m"
        [tool.expandcontract.colours.pipeline]
        source = "static"
        live = "tg-2=1"
        names = { tg-2 = "green" }
        """,
    )

    router, pipeline = found.colours
    assert found.witnesses == 1
    assert (router.name, router.source) == ("router", Http("http://router/live", pointer="/live"))
    assert router.terms.drain == timedelta(minutes=5)
    look = pipeline.look(Scene(Router(), 1.0))
    assert (look.witness, dict(look.weights)) == ("pipeline", {"green": 1})


def test_every_mistake_comes_in_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        settings(
            tmp_path,
            monkeypatch,
            """
            [tool.expandcontract.colours]
            a = "blue"
            b = { url = "http://x" }
            c = { source = "crystal-ball" }
            d = { source = "http" }
            e = { source = "http", url = "ftp://x", drain = "5m" }
            f = { source = "command", argv = "ls", shell = true }
            g = { source = "static" }
            h = { source = "file", path = "x", drain = 5 }
            i = { source = "probe", url = "http://x", header = "X", requests = 0 }
            """,
        )

    words = str(wrong.value.because)
    for mistake in (
        "colours.a must be a table",
        "colours.b: has no source",
        "colours.c: there is no source 'crystal-ball'; there are ledger, static",
        "colours.d: has no url",
        "colours.e: url: 'ftp://x' is no address",
        "colours.f: argv: 'ls' must be a list of texts; has an unknown key shell",
        "colours.g: needs either live or variable",
        "colours.h: drain: '5' is not a duration",
        "colours.i: requests: 0 must be a whole number above 0",
    ):
        assert mistake in words


def test_more_witnesses_than_there_are_can_never_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as wrong:
        settings(tmp_path, monkeypatch, "[tool.expandcontract]\nwitnesses = 2\n")

    assert "witnesses is 2, and 0 colour source(s) are configured" in str(wrong.value.because)


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_kind_of_ours_can_be_made_from_a_table(name: str) -> None:
    """An option of a type that a table can't give would be noticed here, and not by a user."""
    with pytest.raises(ValueError, match="has an unknown key"):
        made_from(
            kind_named(name), {"no_such_option": 1, **{field.name: object() for field in fields(kind_named(name))}}
        )


def test_a_client_that_takes_long_to_import_takes_none_of_its_sources_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_client.py").write_text("import time\ntime.sleep(3)\n")
    (tmp_path / "oracle.py").write_text(
        "from dataclasses import dataclass\n"
        "from typing import ClassVar\n"
        "from expandcontract.colours.source import Answer\n"
        "@dataclass(frozen=True)\n"
        "class Oracle:\n"
        "    CLIENT: ClassVar = 'slow_client'\n"
        "    def ask(self, scene):\n"
        "        import slow_client\n"
        "        return Answer({'green': 1}, 'it knows')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    oracle = import_module("oracle").Oracle()

    (look,) = ask_all([Witness("oracle", oracle)], Scene(Router(), 2.0))

    assert dict(look.weights) == {"green": 1}
    assert all(hasattr(kind_named(name), "CLIENT") for name in ("kubernetes", "argo", "alb", "ssm"))


def test_another_package_brings_a_kind_by_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tarot.py").write_text(
        "from dataclasses import dataclass\n"
        "from expandcontract.colours.source import Answer\n"
        "@dataclass(frozen=True)\n"
        "class Tarot:\n"
        "    card: str\n"
        "    def ask(self, scene):\n"
        "        return Answer({self.card: 1}, 'the cards')\n"
        "def no_kind(): ...\n"
    )
    info = tmp_path / "tarot-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tarot\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[expandcontract.colours]\ntarot = tarot:Tarot\nhttp = tarot:Tarot\nwrong = tarot:no_kind\nabsent = tarto:X\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    made = made_from(kind_named("tarot"), {"card": "green"})
    assert made.ask(Scene(Router(), 1.0)).weights == {"green": 1}
    assert kind_named("http") is Http, "nobody takes a name of ours"
    with pytest.raises(ValueError, match="no dataclass with a method ask"):
        kind_named("wrong")
    with pytest.raises(ValueError, match="can't be loaded from tarto:X: ModuleNotFoundError"):
        kind_named("absent")
