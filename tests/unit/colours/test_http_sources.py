"""The HTTP source and the probe against a server on this machine: right, wrong, slow, redirected."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from expandcontract.colours.http import Http
from expandcontract.colours.probe import Probe
from expandcontract.colours.source import Scene, Source, Unanswered
from expandcontract.colours.witness import Witness, witness_from
from expandcontract.commands.asking import ask_all
from expandcontract.domain.colour import Router
from tests.fixtures.clouds import documented
from tests.fixtures.http_server import Asked, HttpServer, Reply

SCENE = Scene(Router(), 5.0)


def says(source: Source) -> dict[str, int]:
    return dict(source.ask(SCENE).weights)


def refuses(source: Source, seconds: float = 5.0) -> str:
    with pytest.raises(Unanswered) as why:
        source.ask(Scene(Router(), seconds))
    return str(why.value)


def test_the_body_a_header_or_a_place_in_a_document(web: HttpServer) -> None:
    web.replies["/live"] = Reply("green\n")
    web.replies["/health"] = Reply("ok", headers=(("X-Colour", "blue"),))
    web.replies["/router"] = Reply({"a/b": [{"weights": {"blue": 9, "green": 1}}]})

    assert says(Http(f"{web.url}/live")) == {"green": 100}
    assert says(Http(f"{web.url}/health", header="x-colour")) == {"blue": 100}
    assert says(Http(f"{web.url}/router", pointer="/a~1b/0/weights")) == {"blue": 9, "green": 1}


@pytest.mark.parametrize(
    ("reply", "options", "words"),
    [
        (Reply("green", 500), {}, "status 500"),
        (Reply("green", 404), {}, "status 404"),
        (Reply("", 204), {}, "the answer is empty"),
        (Reply(""), {}, "the answer is empty"),
        (Reply("<html>log in</html>"), {"pointer": "/live"}, "no JSON"),
        (Reply({"other": 1}), {"pointer": "/live"}, "a document without /live"),
        (Reply({"live": None}), {"pointer": "/live"}, "'null', which is neither"),
        (Reply({"live": ["green"]}), {"pointer": "/live"}, "neither"),
        (Reply({"live": {"green": "100"}}), {"pointer": "/live"}, "neither"),
        (Reply([]), {"pointer": "/0"}, "a document without /0"),
        (Reply("ok"), {"header": "X-Colour"}, "without the header X-Colour"),
        (
            Reply("", 302, (("Location", "https://ann:s3cret@elsewhere/login?to=x"),)),
            {},
            "a redirect to https://elsewhere/login",
        ),
        (Reply({"live": "!"}), {"pointer": "/live", "base64": True}, "no text in base64"),
    ],
)
def test_any_other_answer_is_none(web: HttpServer, reply: Reply, options: dict[str, Any], words: str) -> None:
    web.replies["/"] = reply
    web.replies["/login"] = Reply("green")

    why = refuses(Http(f"{web.url}/", **options))

    assert words in why
    assert "s3cret" not in why


def test_a_server_that_hangs_or_is_not_there(web: HttpServer) -> None:
    web.replies["/"] = Reply(hang=True)

    assert "timed out" in refuses(Http(f"{web.url}/"), seconds=0.2)
    assert "Connection refused" in refuses(Http("http://127.0.0.1:1/"))


def test_tokens_and_passwords_are_sent_and_never_shown(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    web.replies["/"] = Reply("green")
    monkeypatch.delenv("TOKEN", raising=False)
    assert refuses(Http(web.url + "/", token_env="TOKEN")) == "nothing: TOKEN, which is to have the token, isn't set"

    monkeypatch.setenv("TOKEN", "s3cret")
    answers = [
        Http(web.url + "/", token_env="TOKEN").ask(SCENE),
        Http(web.url + "/", token_env="TOKEN", auth_header="X-Consul-Token").ask(SCENE),
        Http(web.url.replace("//", "//ann:s3cret@") + "/").ask(SCENE),
    ]

    assert [asked.headers.get("Authorization") for asked in web.asked] == [
        "Bearer s3cret",
        None,
        "Basic YW5uOnMzY3JldA==",
    ]
    assert web.asked[1].headers["X-Consul-Token"] == "s3cret"
    assert "s3cret" not in "".join(answer.said for answer in answers)
    assert "s3cret" not in refuses(Http("http://ann:s3cret@127.0.0.1:1/"))


def test_consul_by_the_recipe(web: HttpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSUL_HTTP_TOKEN", "s3cret")
    web.replies["/v1/kv/shop/live"] = lambda asked: (
        Reply("no", 403)
        if asked.headers.get("Authorization") != "Bearer s3cret"
        else Reply("green" if asked.path.endswith("?raw") else [{"Value": "Z3JlZW4="}])
    )

    assert looked(documented("consul", web.url)) == ({"green": 100}, f"'green' at {web.url}/v1/kv/shop/live")

    web.replies["/v1/kv/shop/live"] = Reply("", 404)  # a key that isn't there
    assert looked(documented("consul", web.url)) == ({}, "status 404")


def test_etcd_by_the_recipe(web: HttpServer) -> None:
    """A real one is in ``tests/compat/test_etcd.py``."""
    kept = {"shop/live": "green"}

    def range_(asked: Asked) -> Reply:
        key = base64.b64decode(json.loads(asked.body)["key"]).decode()
        value = base64.b64encode(kept[key].encode()).decode() if key in kept else None
        return Reply({"kvs": [{"value": value, "mod_revision": "7"}]} if value else {"header": {}})

    web.replies["/v3/kv/range"] = range_
    assert looked(documented("etcd", web.url)) == ({"green": 100}, f'"green" at /kvs/0/value of {web.url}/v3/kv/range')

    kept.clear()
    assert looked(documented("etcd", web.url)) == ({}, "a document without /kvs/0/value")


def looked(table: dict[str, Any]) -> tuple[dict[str, int], str]:
    """What a configured witness comes to, and what it said."""
    look = witness_from("recipe", table).look(SCENE)
    return dict(look.weights), look.said


def cycle(*replies: Reply) -> Callable[[Asked], Reply]:
    left = iter(replies * 50)
    return lambda asked: next(left)


def colour(name: str) -> Reply:
    return Reply("ok", headers=(("X-Colour", name),))


def test_a_probe_counts_who_answers(web: HttpServer) -> None:
    web.replies["/"] = cycle(colour("blue"), colour("blue"), colour("blue"), colour("green"))

    assert says(Probe(f"{web.url}/", "X-Colour", requests=8)) == {"blue": 6, "green": 2}
    assert len(web.asked) == 8


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply("ok"), "an answer with no header X-Colour (request 2)"),
        (Reply("ok", headers=(("X-Colour", "blue"), ("X-Colour", "green"))), "2 times header X-Colour"),
        (Reply("bad gateway", 502, (("X-Colour", "blue"),)), "status 502"),
    ],
)
def test_one_answer_of_a_probe_that_is_none_is_enough(web: HttpServer, reply: Reply, words: str) -> None:
    web.replies["/"] = cycle(colour("blue"), reply)

    assert words in refuses(Probe(f"{web.url}/", "X-Colour"))


def test_witnesses_are_asked_side_by_side_and_a_late_one_has_said_nothing(web: HttpServer) -> None:
    web.replies["/slow"] = Reply(hang=True)
    web.replies["/live"] = Reply("green")
    witnesses = [Witness("slow", Http(f"{web.url}/slow")), Witness("quick", Http(f"{web.url}/live"))]

    slow, quick = ask_all(witnesses, Scene(Router(), 0.5))

    assert (slow.witness, dict(slow.weights)) == ("slow", {})
    assert (quick.witness, dict(quick.weights)) == ("quick", {"green": 100})
