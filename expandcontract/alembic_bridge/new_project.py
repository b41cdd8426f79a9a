"""A new Alembic project from our template: ordinary Alembic, whose env.py takes its URL from the environment."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from expandcontract.errors import UsageError
from expandcontract.whole_file import write_whole

_INI = "alembic.ini"


def make_project(folder: Path, directory: str, *, dry_run: bool = False) -> tuple[str, ...]:
    """
    The files of the new project, relative to `folder`: ``alembic.ini`` and `directory` with its env.py.

    What a run that was killed has made is taken for our own, and completed.

    Raises:
        UsageError: something else of that name is there already.
    """
    versions = f"{directory}/versions"
    texts = _texts(directory)
    taken = [name for name, text in texts.items() if _is_other(folder / name, text)]
    if taken or _has_files(folder / versions):
        raise UsageError(f"{folder / [*taken, versions][0]} exists already", next_command="ec init --directory ANOTHER")
    if not dry_run:
        (folder / versions).mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / name, text)
    return (_INI, *(name for name in texts if name != _INI), versions)


def _texts(directory: str) -> dict[str, str]:
    """The files with their texts. The configuration is the last: where it is, there is a project."""
    templates = files("expandcontract.alembic_bridge") / "templates" / "expandcontract"
    texts = {name: (templates / name).read_text(encoding="utf-8") for name in ("env.py", "script.py.mako")}
    # relative to the file, so that the project may move; % has a meaning there
    place = ("" if Path(directory).is_absolute() else "%(here)s/") + directory.replace("%", "%%")
    ini = (templates / "alembic.ini.mako").read_text(encoding="utf-8").replace("${script_location}", place)
    return {**{f"{directory}/{name}": text for name, text in texts.items()}, _INI: ini}


def _is_other(file: Path, text: str) -> bool:
    return file.exists() and not (file.is_file() and file.read_bytes() == text.encode())


def _has_files(folder: Path) -> bool:
    return folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))
