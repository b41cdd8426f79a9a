"""A password or a token of whatever `ec` asks or tells shows up nowhere: in no output, no file and no row."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from expandcontract.backfill.health.configuration import Source
from expandcontract.commands.health import ask
from tests.fixtures.http_server import Reply, http_server
from tests.integration.security.test_secrets import PASSWORDS, assert_hidden, dump, surroundings, target

COMMANDS = (
    ("status", "--json"),
    ("plan",),
    ("doctor", "--json"),
    ("observe", "--json"),
    ("colour", "check", "green", "--json"),
    ("prove", "0002", "--json"),
    ("migrate", "contract", "--json"),
    ("log", "--json"),
)


def placed(password, web):
    """The ways in which an address may have a secret, and what is at the address: nobody, nonsense, somebody else."""
    quoted = quote(password, safe="")
    for what, place in {
        "nobody": "127.0.0.1:1",
        "unknown": "no-such-host.invalid",
        "fails": web.url.removeprefix("http://") + "/500",
        "redirects": web.url.removeprefix("http://") + "/elsewhere",
        "repeats": web.url.removeprefix("http://") + "/echo",
    }.items():
        yield f"{what}_login", f"http://me:{quoted}@{place}"
        yield f"{what}_query", f"http://{place}?token={quoted}"
    yield "unescaped", f"http://me:{password}@127.0.0.1:1/"
    yield "port", f"http://127.0.0.1:{quoted}/"


def configured(address, database_address):
    """A configuration that has this address, and the token of the variable SHOP_KEY, wherever there may be one."""
    url = json.dumps(address, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"""
[tool.expandcontract]
webhook = {url}
evidence = ["statements"]

[tool.expandcontract.colours.router]
source = "http"
url = {url}
token_env = "SHOP_KEY"

[tool.expandcontract.colours.probe]
source = "probe"
url = {url}
header = "X-Colour"
requests = 1

[tool.expandcontract.replicas.one]
address_env = "SHOP_REPLICA"

[tool.expandcontract.replicas.two]
address = {json.dumps(database_address, ensure_ascii=False)}

[tool.expandcontract.alerts.pages]
source = "alertmanager"
url = {url}
token_env = "SHOP_KEY"

[tool.expandcontract.alerts.errors]
source = "prometheus"
url = {url}
query = "1"
below = 2

[tool.expandcontract.alerts.site]
source = "http"
url = {url}

[tool.expandcontract.alerts.own]
source = "command"
argv = ["sh", "-c", "echo $SHOP_TOKEN; exit 1"]

[tool.expandcontract.health.prometheus.p99]
url = {url}
query = "1"
limits = "stop 2"

[tool.expandcontract.health.alertmanager.pages]
url = {url}

[tool.expandcontract.health.http.shop]
url = {url}
token_env = "SHOP_KEY"
"""


def echo(asked):
    """Whatever was sent, as a faulty proxy might answer."""
    words = " ".join([asked.path, *asked.headers.values()])
    return Reply(words, 200, (("X-Colour", words.encode("latin-1", "replace").decode("latin-1").replace("\n", "")),))


def try_all(project, password, ways, commands):
    there = target(project)
    with http_server() as web:
        web.replies = {
            "/500": Reply(password, 500),
            "/elsewhere": Reply("", 302, (("Location", f"http://x:{quote(password)}@127.0.0.1/?t={quote(password)}"),)),
            "/echo": echo,
        }
        addresses = dict(placed(password, web))
        for way in ways or addresses:
            database = f"postgresql://{there['user']}:{quote(password, safe='')}@{there['host']}:{there['port']}/x"
            text = configured(addresses[way], database)
            (project.folder / "pyproject.toml").write_text(text, "utf-8")
            variables = {
                "SHOP_KEY": password,
                "SHOP_TOKEN": password,
                "SHOP_REPLICA": database,
                "EC_MAINTENANCE_ROLES": "postgres",
            }
            for command in commands:
                ran = project.ec(*command, variables=variables)
                assert ran.code in (0, 1, 2, 3, 5, 7), (way, command, ran)
                assert_hidden(project, ran, (way, command))
        assert not surroundings(str(dump(project)))
    assert not surroundings(str([one.body for one in web.asked]))


@settings(phases=[Phase.explicit], suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("Xyz1/Xyz2@Xyz3")
@given(PASSWORDS)
def test_what_sources_are_asked_with_is_shown_nowhere(switched, password):
    try_all(switched, password, ["repeats_query", "unescaped"], COMMANDS)


@pytest.mark.long
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(PASSWORDS)
def test_whatever_sources_are_asked_with_is_shown_nowhere(switched, password):
    try_all(switched, password, [], COMMANDS)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PASSWORDS)
def test_a_health_signal_repeats_nothing_it_was_asked_with(monkeypatch, password):
    monkeypatch.setenv("SHOP_KEY", password)
    with http_server() as web:
        firing = {"labels": {"alertname": f"who has sent {password}?"}, "startsAt": "today"}
        web.replies["/api/v2/alerts"] = Reply([firing])
        for address in (web.url, web.url.replace("//", f"//me:{quote(password, safe='')}@")):
            signal = ask(Source("alertmanager", "pages", address, token_env="SHOP_KEY"))
            (verdict,) = signal.look(None)
            assert "who has sent" in verdict.words
            assert not surroundings(verdict.words)
