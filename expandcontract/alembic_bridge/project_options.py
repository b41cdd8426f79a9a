"""Which Alembic project is meant: ``-c``, ``-n`` and ``-x``. Naming it costs no import of Alembic."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PYPROJECT = "pyproject.toml"


@dataclass(frozen=True)
class ProjectOptions:
    """
    ``-c``, ``-n`` and ``-x`` as Alembic means them.

    ``adjust`` is for whoever opens a project in another's name: it gets Alembic's `Config` as it was read, and gives
    the one to use.
    """

    config: tuple[str, ...] = ()
    name: str = "alembic"
    x: tuple[str, ...] = ()
    adjust: Callable[[Any], Any] | None = field(default=None, compare=False)

    def files(self) -> tuple[Path, Path]:
        """The pyproject.toml and the ini file to read, by Alembic's rules; either may be missing."""
        toml, ini = Path(_PYPROJECT), Path("alembic.ini")
        environment = os.environ.get("ALEMBIC_CONFIG")
        for name in self.config or ([environment] if environment else []):
            if Path(name).name == _PYPROJECT:
                toml = Path(name)
            else:
                ini = Path(name)
        return toml, ini

    def pyproject(self) -> Path:
        """Where ``[tool.expandcontract]`` is looked for: Alembic's pyproject.toml, or the one beside the ini file."""
        toml, ini = self.files()
        return toml if toml.exists() else ini.parent / _PYPROJECT
