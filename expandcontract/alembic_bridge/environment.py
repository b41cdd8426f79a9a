"""
Running something inside the user's own env.py: their engine, naming conventions and ``-x`` arguments.

The whole use of Alembic's private names is in this module and in `runner`; a contract test runs over the supported
versions.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy
import sqlalchemy.exc
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.util import CommandError

from expandcontract.alembic_bridge.project import Project
from expandcontract.database.address import Address, address_from_text, address_from_url
from expandcontract.database.connect import connection_error
from expandcontract.errors import ConfigurationError, EcError

Work = Callable[[tuple[str, ...], MigrationContext], Iterable[RevisionStep]]


@dataclass(frozen=True)
class Observed:
    """What one run of env.py shows: the address of its database and the heads in its version table."""

    address: Address
    heads: tuple[str, ...]


def run_in_environment(project: Project, work: Work) -> None:
    """
    Run env.py once, online, with `work` as what there is to do.

    `work` gets the heads and Alembic's migration context, and gives the steps to run (it may do its own work and give
    none). Each step has a transaction of its own, whatever env.py says.

    Raises:
        EcError: from `work`, unchanged.
        ServerUnfit, ServerUnreachable: env.py's engine couldn't connect.
        ConfigurationError: env.py never configured a context.
    """
    ran = False

    def once(heads: tuple[str, ...] | Any, context: MigrationContext) -> Iterable[RevisionStep]:
        nonlocal ran
        ran = True
        return work(tuple(heads), context)

    environment = EnvironmentContext(project.config, project.script, fn=once, as_sql=False)
    configure = environment.configure

    def configured(*arguments: Any, **options: Any) -> None:
        # On the instance: Alembic registers its proxies by exact class, so a subclass would not be seen.
        configure(*arguments, **{**options, "transaction_per_migration": True})

    environment.configure = configured  # type: ignore[method-assign]
    with environment, quiet(), _environment_errors():
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
        observed.append(Observed(replace(address, search_path=search_path), heads))
        return ()

    run_in_environment(project, look)
    return observed[-1]


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
def _environment_errors() -> Iterator[None]:
    try:
        yield
    except sqlalchemy.exc.OperationalError as error:
        if error.connection_invalidated or error.statement:
            raise
        raise connection_error(error.orig or error, "env.py's URL") from None
    except sqlalchemy.exc.NoSuchModuleError as error:
        raise ConfigurationError("env.py's URL names an unknown dialect", because=str(error)) from None
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"env.py needs the module {error.name}", because=str(error), next_command=f"pip install {error.name}"
        ) from None
    except CommandError as error:
        raise ConfigurationError("Alembic refused", because=str(error)) from None
    except (EcError, sqlalchemy.exc.SQLAlchemyError):
        raise


@contextmanager
def quiet() -> Iterator[None]:
    """Alembic's chatter once per part would drown our own; what env.py prints is conversation, not a result."""

    def only_warnings(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING

    logger = logging.getLogger("alembic.runtime.migration")
    logger.addFilter(only_warnings)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        logger.removeFilter(only_warnings)
