"""Every kind of colour source, where it fails: the contract is refused by a sentence with its name and what it said."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.clouds import ROLLOUT, SERVICE, TOKEN, status
from tests.fixtures.http_server import HttpServer, Reply
from tests.fixtures.project import AlembicProject, until

LISTENER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/web/0/0"
AWS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "s3cret-key", "AWS_EC2_METADATA_DISABLED": "true"}

Failure = tuple[str, dict[str, Any], str]  # the kind, its options, and what the refusal quotes


@pytest.fixture
def ready_to_contract(switched: AlembicProject) -> AlembicProject:
    """Nothing but the traffic can be in the contract's way."""
    switched.ok("window", "0002", "--close", "--reason", "this is about witnesses")
    switched.variables.update(AWS)
    return switched


@pytest.fixture
def failures(web: HttpServer, kubernetes_api: HttpServer, kubeconfig: str, aws_endpoint: str) -> list[Failure]:
    """One of each kind."""
    web.replies["/broken"] = Reply("green", 500)
    kubernetes_api.replies[SERVICE] = status(403, 'services "web" is forbidden')
    kubernetes_api.replies[ROLLOUT] = status(404, "no such thing")
    aws = {"region": "eu-central-1", "endpoint_url": aws_endpoint}
    cluster = {"namespace": "shop", "kubeconfig": kubeconfig}
    return [
        ("static", {"variable": "NOT_SET"}, "nothing: the variable NOT_SET isn't set"),
        ("file", {"path": "not-there"}, "No such file"),
        ("command", {"argv": [sys.executable, "-c", "exit('lost')"]}, "ended with status 1: lost"),
        ("http", {"url": f"{web.url}/broken"}, "status 500"),
        ("probe", {"url": f"{web.url}/broken", "header": "X-Colour"}, "status 500"),
        (
            "kubernetes",
            {"service": "web", "label": "version", **cluster},
            'status 403 for Service shop/web: services "web"',
        ),
        ("argo", {"rollout": "web", **cluster}, "status 404"),
        ("alb", {"tag": "colour", "listener": LISTENER, **aws}, "ListenerNotFound"),
        ("ssm", {"parameter": "/shop/nowhere", **aws}, "ParameterNotFound"),
    ]


def assert_refused(project: AlembicProject, kind: str, options: dict[str, Any], words: str) -> None:
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"source": kind, **options}.items()]
    table = f"[tool.expandcontract]\nobserved_share = '0%'\n[tool.expandcontract.colours.the-{kind}]\n"
    project.write("pyproject.toml", table + "\n".join(lines) + "\n")

    def because() -> str:
        ran = project.ec("migrate", "contract", "--json")
        assert (ran.code, ran.refusal_codes) == (3, {"traffic-unknown"}), (kind, words, ran)
        for secret in (TOKEN, AWS["AWS_SECRET_ACCESS_KEY"]):
            assert secret not in ran.stdout + ran.stderr
        (refusal,) = ran.json["refusals"]
        assert f"the-{kind} says " in refusal["because"]
        return str(refusal["because"])

    # a slow machine may have taken all of the witness's time to load its client
    until(lambda: words in because(), what=f"{kind}: {words}")


def test_a_source_of_any_kind_that_fails_refuses_the_contract_and_says_so(
    ready_to_contract: AlembicProject, failures: list[Failure]
) -> None:
    for kind, options, words in failures:
        assert_refused(ready_to_contract, kind, options, words)
    assert "name" in ready_to_contract.columns("users")

    (ready_to_contract.folder / "pyproject.toml").unlink()
    ready_to_contract.ok("migrate", "contract")


@pytest.mark.long
def test_every_way_in_which_a_source_fails_does(
    ready_to_contract: AlembicProject,
    web: HttpServer,
    kubernetes_api: HttpServer,
    kubeconfig: str,
    tmp_path: Path,
) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "dangling").symlink_to("releases/purple")
    answers = {
        "slow": (Reply(hang=True), {}, "the-http says nothing"),
        "type": (Reply({"live": ["green"]}), {"pointer": "/live"}, "neither"),
        "page": (Reply("<html>log in</html>"), {"pointer": "/live"}, "no JSON"),
        "empty": (Reply(""), {}, "the answer is empty"),
        "redirected": (Reply("", 302, (("Location", "/login"),)), {}, "status 302, a redirect to /login"),
        "headless": (Reply("ok"), {"header": "X-Colour"}, "without the header X-Colour"),
        "stranger": (Reply("purple"), {}, "the ledger knows no colour 'purple'"),
        "v1/kv/shop/live": (Reply("", 404), {}, "status 404"),  # Consul without the key
        "v3/kv/range": (  # etcd without the key
            Reply({"header": {}}),
            {"body": '{"key": "c2hvcC9saXZl"}', "pointer": "/kvs/0/value", "base64": True},
            "a document without /kvs/0/value",
        ),
    }
    web.replies.update({f"/{path}": reply for path, (reply, _, _) in answers.items()})
    labelless = {"kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}}
    service = {"namespace": "shop", "service": "web", "label": "version", "kubeconfig": kubeconfig}
    found: list[Failure] = [
        *(("http", {"url": f"{web.url}/{path}", **options}, words) for path, (_, options, words) in answers.items()),
        ("http", {"url": "http://127.0.0.1:1/"}, "Connection refused"),
        ("probe", {"url": f"{web.url}/headless", "header": "X-Colour"}, "no header X-Colour"),
        ("file", {"path": str(tmp_path / "empty")}, "the answer is empty"),
        ("file", {"path": str(tmp_path / "dangling"), "link": True}, "the ledger knows no colour 'purple'"),
        ("command", {"argv": ["true"]}, "the answer is empty"),
        ("command", {"argv": ["no-such-program"]}, "can't be run"),
        ("command", {"argv": ["sleep", "60"]}, "the-command says "),
        ("ssm", {"parameter": "/shop/live", "region": "x", "endpoint_url": "http://127.0.0.1:1"}, "EndpointConnection"),
    ]
    for kind, options, words in found:
        assert_refused(ready_to_contract, kind, options, words)
    for reply, words in (
        (status(401, "Unauthorized"), "status 401"),
        (status(404, 'services "web" not found'), "status 404"),
        (Reply(labelless), "no version in its selector {'app': 'web'}"),
        (Reply(hang=True), "nothing"),
    ):
        kubernetes_api.replies[SERVICE] = reply
        assert_refused(ready_to_contract, "kubernetes", service, words)
    assert "name" in ready_to_contract.columns("users")
