"""A real nginx: its file says what is meant, and the probe what its workers do."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from expandcontract.colours.probe import Probe
from expandcontract.colours.source import Scene, Unanswered
from expandcontract.domain.colour import Router
from tests.fixtures.http_server import HttpServer, Reply, http_server
from tests.fixtures.project import AlembicProject, until

_CONFIGURATION = """
daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream colours {{ {servers} }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://colours; }} }}
}}
"""


@dataclass
class Nginx:
    """nginx in a folder of its own."""

    program: str
    folder: Path
    port: int
    colours: dict[str, HttpServer]

    def write(self, **weights: int) -> None:
        servers = " ".join(
            f"server {self.colours[name].url.removeprefix('http://')} weight={weight};"
            for name, weight in weights.items()
        )
        text = _CONFIGURATION.format(folder=self.folder, port=self.port, servers=servers)
        (self.folder / "nginx.conf").write_text(text)

    def command(self) -> list[str]:
        return [self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def reload(self) -> None:
        subprocess.run([*self.command(), "-s", "reload"], check=True, capture_output=True)

    def seen(self) -> set[str]:
        probe = Probe(f"http://127.0.0.1:{self.port}/", "X-Colour")
        try:
            return set(probe.ask(Scene(Router(), 5.0)).weights)
        except Unanswered:
            return set()


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/opt/homebrew/bin")
    assert program, "no nginx on this machine: apt install nginx-light, brew install nginx"
    with socket.socket() as free, http_server() as blue, http_server() as green:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        for name, server in (("blue", blue), ("green", green)):
            server.replies["/"] = Reply("ok", headers=(("X-Colour", name),))
        made = Nginx(program, tmp_path, port, {"blue": blue, "green": green})
        made.write(blue=1)
        tmp_path.chmod(0o755)
        process = subprocess.Popen(made.command(), stderr=subprocess.DEVNULL)
        try:
            until(lambda: made.seen() == {"blue"}, what="nginx serves blue")
            yield made
        finally:
            process.terminate()
            process.wait(30)


def test_an_edited_file_is_not_believed_until_nginx_has_reloaded_it(nginx: Nginx) -> None:
    nginx.write(green=1)
    assert nginx.seen() == {"blue"}

    nginx.reload()
    until(lambda: nginx.seen() == {"green"}, what="nginx serves green")


def test_a_canary_is_seen_as_both(nginx: Nginx) -> None:
    nginx.write(blue=3, green=1)
    nginx.reload()

    until(lambda: nginx.seen() == {"blue", "green"}, what="nginx serves both")


def test_a_contract_believes_the_workers_and_neither_the_file_nor_what_was_recorded(
    nginx: Nginx, switched: AlembicProject
) -> None:
    """Somebody edited the file, told the ledger that green is live, and forgot the reload."""
    switched.ok("window", "0002", "--close", "--reason", "this is about nginx")
    switched.write(
        "pyproject.toml",
        f"""
        [tool.expandcontract]
        observed_share = "0%"

        [tool.expandcontract.colours.nginx]
        source = "probe"
        url = "http://127.0.0.1:{nginx.port}/"
        header = "X-Colour"
        """,
    )
    nginx.write(green=1)

    ran = switched.ec("migrate", "contract", "--json")

    assert (ran.code, {"cutover", "live-lacks"} <= ran.refusal_codes) == (3, True), ran
    assert any(
        "nginx says blue 20 of 20 answers (X-Colour)" in refusal["because"] for refusal in ran.json["refusals"]
    ), ran
    assert "name" in switched.columns("users")

    nginx.reload()
    until(lambda: nginx.seen() == {"green"}, what="nginx serves green")
    switched.ok("observe")
    switched.ok("window", "0002", "--close", "--reason", "blue has had traffic all the time")
    switched.ok("migrate", "contract")
