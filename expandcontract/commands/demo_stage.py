"""Where the demo plays: a PostgreSQL of its own, two trees of the example, a router, and client processes."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from expandcontract.commands.demo_account import Report
from expandcontract.domain.duration import format_duration
from expandcontract.errors import ConfigurationError, StepFailed
from expandcontract.proof.installation import NAMED, Installation, choose_installation, find_installations
from expandcontract.proof.scratch_server import ScratchServer

REVISION = "0002"  # the example's rename
_PACKAGE = Path(__file__).resolve().parents[1]
_MAJOR = 18
_OWNER = "shop"
_PATIENCE = 60.0  # seconds until a process that should have come or gone counts as stuck; no test of speed
_WINDOW = re.compile(r'^contract_after = "\w+"$', re.MULTILINE)


def example_folder() -> Path:
    """
    The example project: beside the package in a checkout, within it in an installed wheel.

    Raises:
        ConfigurationError: it is in neither place.
    """
    places = (_PACKAGE / "migrations_example", _PACKAGE.parent / "migrations_example")
    for place in places:
        if (place / "alembic.ini").is_file():
            return place
    raise ConfigurationError(
        "the demo's example project isn't there", because=f"looked in {' and '.join(map(str, places))}"
    )


@dataclass(frozen=True)
class Finished:
    """A command that has ended; `output` is what it printed."""

    line: str
    exit_code: int
    output: str


class Stage:
    """
    All that the demo needs, from ``with Stage(…) as stage`` until the block ends; then no process and no file is left.

    Args:
        example: the example project.
        users: how many users the shop has at first.
        keep: leave server and files where they are when the block ends normally.
    """

    folder: Path
    server: ScratchServer
    connection: psycopg.Connection[Any]

    def __init__(self, example: Path, *, users: int, keep: bool) -> None:
        self.users = users
        self._example, self._keep = example, keep
        self._clients: list[Client] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = stack.enter_context(_folder(keep=self._keep))
            self.server = stack.enter_context(ScratchServer(_installation(), keep=self._keep))
            self._make_database()
            self._make_trees()
            self.route({})
            self.connection = stack.enter_context(psycopg.connect(self._url, autocommit=True))
            stack.callback(self._end_clients)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def tree(self, release: int) -> Path:
        """The working tree of a release."""
        return self.folder / f"release-{release}"

    def rename_file(self, release: int) -> Path:
        """The revision file of the rename."""
        return next((self.tree(release) / "migrations" / "versions").glob(f"{REVISION}_*.py"))

    def set_window(self, window: timedelta) -> None:
        """
        Give the rename a rollback window that one can sit out.

        Raises:
            ConfigurationError: the example doesn't have it where we look for it.
        """
        rename = self.rename_file(2)
        line = f'contract_after = "{format_duration(window)}"'
        text, found = _WINDOW.subn(line, rename.read_text(encoding="utf-8"))
        if found != 1:
            raise ConfigurationError(f"{rename.name} of the example doesn't set contract_after on one line")
        rename.write_text(text, encoding="utf-8")

    def route(self, weights: Mapping[str, int]) -> None:
        """Turn the router: at once and whole, for a client may read it at any moment."""
        making = self._router.with_suffix(".new")
        making.write_text(json.dumps(weights))
        making.rename(self._router)

    def start_client(self, colour: str, release: int) -> Client:
        """A client process of the release, connected, and idle until the router gives its colour traffic."""
        client = Client(self, colour, release)
        self._clients.append(client)
        deadline = time.monotonic() + _PATIENCE
        while not self._is_connected(client):
            client.check_alive()
            if time.monotonic() > deadline:
                raise StepFailed(f"the client on {colour} hasn't connected within {_PATIENCE:.0f} s")
            time.sleep(0.05)
        return client

    def check_clients(self) -> None:
        """
        Make sure that every client still works.

        Raises:
            StepFailed: one has ended.
        """
        for client in self._clients:
            client.check_alive()

    def stop_clients(self) -> dict[str, Report]:
        """End the clients; each colour's report."""
        return {client.colour: client.stop() for client in self._clients}

    def run(self, release: int, arguments: Sequence[str], hear: Callable[[str], None], *, shows_bar: bool) -> Finished:
        """
        Run ``ec`` in the tree of a release, and pass on what it prints as it comes.

        Args:
            release: whose tree.
            arguments: after ``ec``.
            hear: called with each line.
            shows_bar: let it draw on our terminal.
        """
        heard: list[str] = []
        with _ending(self._popen(release, arguments, stderr=None if shows_bar else subprocess.STDOUT)) as process:
            for line in process.stdout or ():
                heard.append(line)
                hear(line.rstrip("\n"))
            process.wait()
        return Finished(shlex.join(["ec", *arguments]), process.returncode, "".join(heard))

    def ask(self, release: int, arguments: Sequence[str]) -> tuple[Finished, dict[str, Any]]:
        """Run ``ec … --json`` in the tree of a release; how it ended, and its document."""
        with _ending(self._popen(release, [*arguments, "--json"], stderr=subprocess.PIPE)) as process:
            printed, conversation = process.communicate()
        finished = Finished(shlex.join(["ec", *arguments]), process.returncode, printed + conversation)
        try:
            document: dict[str, Any] = json.loads(printed)
        except ValueError:
            raise StepFailed(f"{finished.line} printed no document", because=finished.output.strip()) from None
        return finished, document

    def how_to_explore(self) -> tuple[str, ...]:
        """Shell lines for whoever keeps the stage; the last one clears it away."""
        settings, stop = self.folder / "environment", self.folder / "stop"
        settings.touch(mode=0o600)
        settings.write_text(f"export EC_DATABASE_URL={shlex.quote(self._url)}\n")  # a file, for it holds a password
        stop.write_text(f"{self.server.stop_command}\nrm -rf -- {shlex.quote(str(self.folder))}\n")
        here = shlex.quote(str(self.tree(2)))
        return (f"cd {here} && . ../environment", 'psql "$EC_DATABASE_URL"', "ec status; ec log", f"sh {stop}")

    @property
    def _router(self) -> Path:
        return self.folder / "router.json"

    @property
    def _environment(self) -> dict[str, str]:
        """Ours without what would configure `ec`, Alembic or libpq, and with this very package importable."""
        foreign = ("EC_", "PG", "ALEMBIC_")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        path = os.pathsep.join(filter(None, [str(_PACKAGE.parent), ours.get("PYTHONPATH")]))
        return {**ours, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "EC_DATABASE_URL": self._url}

    def _popen(self, release: int, arguments: Sequence[str], *, stderr: int | None) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "expandcontract", *arguments],
            cwd=self.tree(release),
            env={**self._environment, "EC_TREE": f"release-{release}"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def _make_database(self) -> None:
        password, owner = secrets.token_urlsafe(12), sql.Identifier(_OWNER)
        with psycopg.connect(self.server.dsn(), autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(owner, sql.Literal(password)))
            admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(owner, owner))
        self._url = self.server.dsn(_OWNER, user=_OWNER, password=password)

    def _make_trees(self) -> None:
        for release in (1, 2):
            shutil.copytree(self._example, self.tree(release), ignore=shutil.ignore_patterns("__pycache__"))
        (self.tree(1) / "shop" / "release_2.py").unlink()
        self.rename_file(1).unlink()

    def _is_connected(self, client: Client) -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        row = self.connection.execute(query, [client.name]).fetchone()
        return bool(row and row[0])

    def _end_clients(self) -> None:
        for client in self._clients:
            client.kill()


class Client:
    """A process that runs a release on a colour."""

    def __init__(self, stage: Stage, colour: str, release: int) -> None:
        self.colour, self.name = colour, f"shop {colour} release {release}"
        self._report, self._errors = stage.folder / f"{colour}.json", stage.folder / f"{colour}.log"
        options = ["--release", release, "--colour", colour, "--router", stage._router, "--users", stage.users]
        with self._report.open("w") as report, self._errors.open("w") as errors:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, str(stage.tree(release) / "shop" / "client.py"), *map(str, options)],
                cwd=stage.tree(release),
                env=stage._environment,
                stdin=subprocess.DEVNULL,
                stdout=report,
                stderr=errors,
                start_new_session=True,  # Ctrl-C is meant for the demo, which then ends it
            )

    def check_alive(self) -> None:
        """
        Make sure that it runs.

        Raises:
            StepFailed: it has ended; with what it wrote last.
        """
        if self._process.poll() is not None:
            raise StepFailed(
                f"the client on {self.colour} has ended with exit code {self._process.returncode}",
                because=" / ".join(self._errors.read_text().splitlines()[-2:]) or "it wrote nothing",
            )

    def stop(self) -> Report:
        """
        End it, and return its report.

        Raises:
            StepFailed: it had ended before, or doesn't end.
        """
        self.check_alive()
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise StepFailed(f"the client on {self.colour} hasn't ended within {_PATIENCE:.0f} s") from None
        try:
            return Report.from_document(json.loads(self._report.read_text()))
        except ValueError:
            written = self._errors.read_text().splitlines()[-1:]
            raise StepFailed(f"the client on {self.colour} gave no report", because="".join(written)) from None

    def kill(self) -> None:
        """End it for certain."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def _installation() -> Installation:
    """The one that somebody named, else the major that the demo was made for, else whatever there is."""
    found = find_installations()
    is_named = any(one.origin == NAMED for one in found)
    is_there = any(one.major == _MAJOR for one in found)
    return choose_installation(_MAJOR if is_there and not is_named else None, among=found)


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ec-demo-"))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _ending(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """The process, which doesn't outlive the block: an interrupted demo asks it to stop, and insists after a while."""
    with process:
        try:
            yield process
        except BaseException:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
            raise
