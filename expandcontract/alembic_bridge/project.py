"""A user's Alembic project, opened the way Alembic opens it."""

from __future__ import annotations

import traceback
import warnings
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.util import CommandError

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.domain.history import in_order
from expandcontract.errors import ConfigurationError, RevisionError


@dataclass(frozen=True)
class Project:
    """An opened project: Alembic's configuration and script directory, and the folder that `ec` acts from."""

    config: Config
    script: ScriptDirectory
    folder: Path


def open_project(options: ProjectOptions) -> Project:
    """
    The project that the options name.

    Raises:
        ConfigurationError: there is no configuration, or it has no script directory.
    """
    toml, ini = options.files()
    named = [Path(name) for name in options.config]
    missing = [path for path in (*named, *([] if named else [ini])) if not path.exists()]
    if missing and not (not named and toml.exists()):
        raise ConfigurationError(
            f"there is no {missing[0]}",
            because=f"ec looked in {Path.cwd()}",
            next_command="ec init (in the project's folder), or name the file: ec -c path/to/alembic.ini",
        )
    arguments = Namespace(config=list(options.config) or None, name=options.name, x=list(options.x), cmd=None)
    config = Config(file_=str(ini), toml_file=str(toml), ini_section=options.name, cmd_opts=arguments)
    if options.adjust:
        config = options.adjust(config)
    try:
        script = ScriptDirectory.from_config(config)
    except CommandError as error:
        raise ConfigurationError(
            f"{ini} is no Alembic configuration that can be used",
            because=str(error),
            next_command="ec init, or name another section: ec -n NAME",
        ) from None
    return Project(config, script, ini.resolve().parent if ini.exists() else Path.cwd())


def scripts(project: Project) -> tuple[Script, ...]:
    """
    Every revision of the tree, parents before children.

    Raises:
        RevisionError: a file fails to import, an id stands twice, or the history has a gap or a cycle.
    """
    with revision_errors(project), _twins_refused(project):
        found = {script.revision: script for script in reversed(list(project.script.walk_revisions()))}
    return tuple(found[revision] for revision in in_order(parents_of(found.values()), ()))


@contextmanager
def _twins_refused(project: Project) -> Iterator[None]:
    """Where an id stands in two files Alembic only warns, and takes one of them."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        yield
    for warning in heard:
        if "is present more than once" in str(warning.message):
            raise RevisionError(str(warning.message), file=project.script.dir)
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def parents_of(scripts: Iterable[Script]) -> dict[str, tuple[str, ...]]:
    """Each revision's parents, what it depends on included."""
    # the public properties give None, a string or a tuple, and dependencies apart
    return {script.revision: tuple(script._all_down_revisions) for script in scripts}


@contextmanager
def revision_errors(project: Project) -> Iterator[None]:
    """Turn whatever a revision file does wrong while it is imported into a `RevisionError` with file and line."""
    try:
        yield
    except CommandError as error:
        raise RevisionError(str(error), file=project.script.dir) from None
    except RevisionError:
        raise
    except SyntaxError as error:
        raise RevisionError(error.msg, file=error.filename or project.script.dir, line=error.lineno) from None
    except Exception as error:
        file, line = _place(error, project)
        raise RevisionError(f"{type(error).__name__}: {error}", file=file, line=line) from None


def _place(error: BaseException, project: Project) -> tuple[str, int | None]:
    """The deepest line of the traceback that lies in the project's own versions."""
    folders = [Path(folder).resolve() for folder in project.script._version_locations]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if any(folder in Path(frame.filename).resolve().parents for folder in folders):
            return frame.filename, frame.lineno
    return project.script.dir, None
