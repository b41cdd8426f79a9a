"""The whole pipeline of ``tests/acceptance/test_pipeline.py`` with nginx for its router."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.fixtures.pipeline import Processes, made_pipeline, whole_pipeline
from tests.fixtures.project import until
from tests.fixtures.servers import Database

_CONFIGURATION = """
daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream colours {{ {servers} }}
  server {{
    listen 127.0.0.1:{port};
    location = /weights {{ return 200 "{weights}"; }}
    location / {{ proxy_pass http://colours; proxy_next_upstream off; }}
  }}
}}
"""


class Nginx:
    """See `Router`. A request that fails is not tried elsewhere: customers would notice."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._running = False

    def turn(self, weights: Mapping[str, int], ports: Mapping[str, int]) -> None:
        servers = [f"server 127.0.0.1:{ports[name]} weight={weight};" for name, weight in weights.items() if weight]
        said = " ".join(f"{name}={weight}" for name, weight in weights.items())
        folder = self._processes.folder
        text = _CONFIGURATION.format(folder=folder, port=self.port, servers=" ".join(servers), weights=said)
        (folder / "nginx.conf").write_text(text)
        command = [str(which_nginx()), "-p", str(folder), "-c", str(folder / "nginx.conf")]
        if self._running:
            subprocess.run([*command, "-s", "reload"], check=True, capture_output=True)
        else:
            self._processes.started.append(
                subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            self._running = True
        # several in a row, for workers of before the reload go on until they have heard of it
        until(lambda: {self._said() for _ in range(20)} == {said}, what=f"nginx says {said}")

    def _said(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/weights")
            return connection.getresponse().read().decode()
        except OSError as error:
            return str(error)
        finally:
            connection.close()


def which_nginx() -> str | None:
    """nginx, which isn't on every user's path."""
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx") or shutil.which("/opt/homebrew/bin/nginx")


def test_no_customer_notices_a_whole_pipeline_behind_nginx(database: Database, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # for nginx' workers
    with made_pipeline(database, tmp_path, Nginx, users=2000, hold=1.0) as pipeline:
        whole_pipeline(pipeline)

    print(f"\n{len(pipeline.requests)} requests, {len(pipeline.failures)} failed; {pipeline.observed} looks")
    print(pipeline.table())
    assert pipeline.failures == []
    assert pipeline.served("blue 50 green 50") == {"blue", "green"}
    assert pipeline.served("contracted") == {"green"}
