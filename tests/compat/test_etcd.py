"""A real etcd, by the recipe of the page about colour sources."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.clouds import documented
from tests.fixtures.project import AlembicProject, until


@dataclass
class Etcd:
    """One that runs."""

    url: str
    process: subprocess.Popen[bytes]

    def ask(self, path: str, **document: str) -> None:
        encoded = {name: base64.b64encode(value.encode()).decode() for name, value in document.items()}
        request = urllib.request.Request(f"{self.url}/v3/{path}", json.dumps(encoded).encode())
        urllib.request.urlopen(request, timeout=10).close()

    def answers(self) -> bool:
        try:
            self.ask("kv/range", key="shop/live")
        except OSError:
            return False
        return True


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[Etcd]:
    program = shutil.which("etcd")
    assert program, "no etcd on this machine: apt install etcd-server, brew install etcd"
    ours, peers = free_address(), free_address()
    command = [program, "--data-dir", str(tmp_path / "etcd"), "--initial-cluster", f"default={peers}"]
    command += [f"--{kind}-client-urls={ours}" for kind in ("listen", "advertise")]
    command += ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = Etcd(ours, process)
    try:
        until(made.answers, what="etcd answers")
        yield made
    finally:
        process.kill()
        process.wait(30)


def test_a_contract_runs_while_the_key_is_there_and_says_green(etcd: Etcd, switched: AlembicProject) -> None:
    switched.ok("window", "0002", "--close", "--reason", "this is about etcd")
    options = documented("etcd", etcd.url)
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    table = '[tool.expandcontract]\nobserved_share = "0%"\n[tool.expandcontract.colours.etcd]\n'
    switched.write("pyproject.toml", table + "\n".join(lines) + "\n")

    def refusal() -> str:
        (refused,) = switched.json("migrate", "contract", code=3)["refusals"]
        assert refused["code"] == "traffic-unknown"
        return str(refused["because"])

    assert "etcd says a document without /kvs/0/value" in refusal()
    etcd.ask("kv/put", key="shop/live", value="purple")
    assert "the ledger knows no colour 'purple'" in refusal()
    etcd.ask("kv/put", key="shop/live", value="green")
    assert switched.json("observe")["weights"] == {"green": 100}
    etcd.ask("kv/deleterange", key="shop/live")
    assert "etcd says a document without /kvs/0/value" in refusal()

    etcd.ask("kv/put", key="shop/live", value="green")
    switched.ok("migrate", "contract", "--dry-run")
    etcd.process.kill()
    etcd.process.wait(30)
    assert "etcd says nothing" in refusal()
    assert "name" in switched.columns("users")
