"""
Running something inside the user's own env.py: their engine, naming conventions and ``-x`` arguments.

Alembic's private names are used in this folder only; `tox run -e lowest` and `-e alembic118` run the tests over older
versions of it.
"""

from __future__ import annotations

import configparser
import socket
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy
import sqlalchemy.exc
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.util import CommandError
from sqlalchemy import MetaData

from expandcontract.alembic_bridge.chatter import quiet
from expandcontract.alembic_bridge.collapse import without_collapse
from expandcontract.alembic_bridge.engine_address import address_from_url
from expandcontract.alembic_bridge.project import Project
from expandcontract.alembic_bridge.sqlalchemy_executor import SqlalchemyExecutor
from expandcontract.database.address import Address, address_from_text, check_login
from expandcontract.database.connect import connection_error, server_error
from expandcontract.database.executor import Executor
from expandcontract.errors import ConfigurationError, EcError

Answer = TypeVar("Answer")
Work = Callable[[tuple[str, ...], MigrationContext], Iterable[RevisionStep]]


@dataclass(frozen=True)
class Observed:
    """What one run of env.py shows: its database's address, the heads in its version table, and the models it has."""

    address: Address
    heads: tuple[str, ...]
    metadata: tuple[MetaData, ...]


def run_in_environment(project: Project, work: Work, *, only_looks: bool = False, **further: Any) -> None:
    """
    Run env.py once, online, with `work` as what there is to do.

    `work` gets the heads and Alembic's migration context, and gives the steps to run (it may do its own work and give
    none). Each step has a transaction of its own, whatever env.py says. With `only_looks` Alembic doesn't make its
    version table, which it else does even where there is nothing to run. What is `further` env.py finds in its context.

    Raises:
        EcError: from `work`, unchanged.
        ServerUnfit, ServerUnreachable: env.py's engine couldn't connect.
        ConfigurationError: env.py fails, or never configures a context.
    """
    ran = False

    def once(heads: tuple[str, ...] | Any, context: MigrationContext) -> Iterable[RevisionStep]:
        nonlocal ran
        ran = True
        return work(tuple(heads), context)

    ours = {"fn": once, "as_sql": False, "dont_mutate": only_looks}
    environment = EnvironmentContext(project.config, project.script, **ours, **further)
    configure = environment.configure

    def configured(*arguments: Any, **options: Any) -> None:
        # On the instance: Alembic registers its proxies by exact class, so a subclass would not be seen.
        hooks = without_collapse(options.get("on_version_apply"))
        configure(*arguments, **{**options, "transaction_per_migration": True, "on_version_apply": hooks})

    environment.configure = configured  # type: ignore[method-assign]
    with environment, quiet(), environment_errors(project, lambda: ran):
        check_login(project.config.get_alembic_option("sqlalchemy.url", ""), origin="sqlalchemy.url")
        project.script.run_env()
    if not ran:
        raise ConfigurationError(
            f"{project.script.env_py_location} ran no migrations",
            because="it never called context.configure() and context.run_migrations() for an online run",
        )


def observe(project: Project, database_url: str | None = None) -> Observed:
    """
    Where env.py connects to, and which heads it finds there.

    Args:
        project: the user's project.
        database_url: ``EC_DATABASE_URL``, for our own connections, where env.py's URL doesn't hold what is needed.
    """
    observed: list[Observed] = []

    def look(heads: tuple[str, ...], context: MigrationContext) -> Iterable[RevisionStep]:
        connection = connection_of(context)
        search_path = connection.exec_driver_sql("SHOW search_path").scalar_one()
        if database_url:
            address = address_from_text(database_url, origin="EC_DATABASE_URL")
        else:
            address = address_from_url(connection.engine.url, origin="env.py's engine")
        metadata = metadata_of(context.opts.get("target_metadata"))
        observed.append(Observed(replace(address, search_path=search_path), heads, metadata))
        return ()

    run_in_environment(project, look, only_looks=True)
    return observed[-1]


def metadata_of(given: MetaData | Sequence[MetaData] | None) -> tuple[MetaData, ...]:
    """What ``target_metadata`` comes to: one, several, or none."""
    if given is None:
        return ()
    return (given,) if isinstance(given, MetaData) else tuple(given)


def ask_environment(project: Project, ask: Callable[[Executor, Address, int | None], Answer]) -> Answer:
    """
    What `ask` makes of env.py's own session, in a transaction of it; it gets the address, and the backend that the
    driver was told of, None where it doesn't say.

    Raises:
        EcError: see `run_in_environment`; or the engine's URL means nothing to libpq.
    """
    answers: list[Answer] = []

    def look(heads: tuple[str, ...], context: MigrationContext) -> Iterable[RevisionStep]:
        connection = connection_of(context)
        address = address_from_url(connection.engine.url, origin="env.py's engine")
        answers.append(ask(SqlalchemyExecutor(connection), address, _told(connection.connection.driver_connection)))
        return ()

    run_in_environment(project, look, only_looks=True)
    return answers[-1]


def _told(driver: Any) -> int | None:
    """The backend that the server named when the session began."""
    if hasattr(driver, "get_server_pid"):  # asyncpg
        return int(driver.get_server_pid())
    return getattr(getattr(driver, "info", None), "backend_pid", None)  # psycopg, psycopg2


def connection_of(context: MigrationContext) -> sqlalchemy.Connection:
    """
    The connection that env.py configured.

    Raises:
        ConfigurationError: it configured none.
    """
    if context.connection is None:
        raise ConfigurationError("env.py configured no connection for an online run")
    return context.connection


@contextmanager
def environment_errors(project: Project, has_run: Callable[[], bool]) -> Iterator[None]:
    """
    Turn what env.py itself does wrong into an error with its place; what our own work raises passes unchanged.

    Args:
        project: the user's project.
        has_run: whether our work has begun.
    """
    try:
        yield
    except sqlalchemy.exc.OperationalError as error:
        if error.connection_invalidated or error.statement:
            raise
        raise connection_error(error.orig or error, "env.py's URL") from None
    except CommandError as error:
        raise ConfigurationError("Alembic refused", because=str(error)) from None
    except EcError:
        raise
    except Exception as error:
        if has_run():
            raise
        raise _failure(project, error) from None


def _failure(project: Project, error: Exception) -> EcError:
    """What an exception means that came out of env.py before anything was done."""
    orig = getattr(error, "orig", None) or error
    if known := server_error(orig):
        return known
    if isinstance(error, ModuleNotFoundError):
        return ConfigurationError(
            f"env.py needs the module {error.name}", because=str(error), next_command=f"pip install {error.name}"
        )
    if isinstance(orig, (ConnectionError, TimeoutError, socket.gaierror)) or hasattr(orig, "sqlstate"):
        return connection_error(orig, "env.py's URL")  # asyncpg's errors come as they are
    place = _place(project.script.env_py_location, error)
    if isinstance(error, configparser.InterpolationError):
        # its own words repeat the value, which may be a URL with a password
        return ConfigurationError(
            f"{place}: the ini file's option {error.option} can't be read",
            because="a percent sign in it must be written twice",
        )
    return ConfigurationError(f"{place} fails", because=f"{type(error).__name__}: {error}")


def _place(env_py: str, error: Exception) -> str:
    """env.py with the line that failed."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    file = Path(env_py).resolve()
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file]
    return f"{file}:{lines[-1]}" if lines else str(file)
