"""What the user's models map, as env.py tells Alembic: its ``target_metadata``. No database is asked."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import MetaData

from expandcontract.alembic_bridge.chatter import quiet
from expandcontract.alembic_bridge.environment import environment_errors, metadata_of, run_in_environment
from expandcontract.alembic_bridge.project import Project
from expandcontract.domain.models import Declared
from expandcontract.errors import ConfigurationError, EcError


@dataclass(frozen=True, slots=True)
class Models:
    """
    The mapped columns, each with its table's name (schema first, if it has one), or in ``unknown`` why there are none.

    A project without ``target_metadata`` has none.
    """

    env_py: Path
    columns: frozenset[tuple[tuple[str, ...], str]] = frozenset()
    unknown: str | None = None


def mapped_columns(project: Project) -> Models:
    """The columns that the models map, by a run of env.py's offline branch in which nothing is migrated."""
    seen: list[MetaData] = []
    configured = False

    def nothing(_: Any, __: Any) -> Iterable[RevisionStep]:
        return ()

    environment = EnvironmentContext(project.config, project.script, fn=nothing, as_sql=True)
    configure = environment.configure

    def configure_and_look(*arguments: Any, **options: Any) -> None:
        nonlocal configured
        configured = True
        seen.extend(metadata_of(options.get("target_metadata")))
        configure(*arguments, **{**options, "output_buffer": StringIO()})

    environment.configure = configure_and_look  # type: ignore[method-assign]
    env_py = Path(project.script.env_py_location)
    try:
        with environment, quiet(), environment_errors(project, lambda: False):
            project.script.run_env()
    except (EcError, SystemExit) as error:
        if not configured:
            because = f"env.py doesn't run offline ({error}" + (
                f": {because})" if (because := _because(error)) else ")"
            )
            return Models(env_py, unknown=because)
    if not configured:
        return Models(env_py, unknown="env.py never called context.configure() when it ran offline")
    return Models(env_py, frozenset(_columns(seen)))


def _because(error: BaseException) -> str | None:
    return error.because if isinstance(error, EcError) else None


def _columns(seen: Iterable[MetaData]) -> Iterable[tuple[tuple[str, ...], str]]:
    for metadata in seen:
        for table in metadata.tables.values():
            name = (table.schema, table.name) if table.schema else (table.name,)
            yield from ((name, column.name) for column in table.columns)


def declared_by(metadata: Iterable[MetaData]) -> tuple[Declared, ...]:
    """The tables of the models, ordered by their names; the same table may be in two of them."""
    return tuple(
        sorted(
            {
                Declared(table.name, tuple(column.name for column in table.columns), table.schema)
                for each in metadata
                for table in each.tables.values()
            },
            key=lambda one: (one.schema or "", one.table, one.columns),
        )
    )


def metadata_named(place: str) -> tuple[MetaData, ...]:
    """
    The metadata at ``module:attribute``, such as ``shop.models:Base.metadata`` or ``shop.models:Base``.

    Raises:
        ConfigurationError: there is none.
    """
    module, _, path = place.partition(":")
    try:
        with quiet():
            found: Any = importlib.import_module(module)
            for name in path.split("."):
                found = getattr(found, name)
    except Exception as error:  # whatever a module of the application's raises
        raise ConfigurationError(
            f"there are no models at {place}", because=f"{type(error).__name__}: {error}"
        ) from None
    found = found if isinstance(found, MetaData) else getattr(found, "metadata", None)
    if not isinstance(found, MetaData):
        raise ConfigurationError(
            f"there are no models at {place}", because="it is no MetaData of SQLAlchemy, and has none either"
        )
    return (found,)


def differences_from_models(project: Project) -> list[str] | None:
    """
    What autogenerate would find in the database that env.py connects to; None without ``target_metadata``.

    Raises:
        EcError: env.py can't be run.
    """
    found: list[str] | None = None

    def look(_: tuple[str, ...], context: MigrationContext) -> Iterable[RevisionStep]:
        nonlocal found
        metadata = context.opts.get("target_metadata")
        if metadata is not None:
            found = [_told(each) for each in compare_metadata(context, metadata) if not _is_of_the_ledger(each)]
        return ()

    run_in_environment(project, look, only_looks=True)
    return found


def _told(difference: Any) -> str:
    """A difference as Alembic names it: a tuple, or a list of tuples about one column."""
    first = difference[0] if isinstance(difference, list) else difference
    return " ".join(str(each) for each in first)


def _is_of_the_ledger(difference: Any) -> bool:
    return any(getattr(each, "schema", None) == "ec" for each in difference)
