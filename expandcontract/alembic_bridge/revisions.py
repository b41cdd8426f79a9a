"""From a revision file to a `Change` and its callables."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from alembic.script import Script

from expandcontract.alembic_bridge.footprints import footprint
from expandcontract.alembic_bridge.operations import CreateSyncOp
from expandcontract.alembic_bridge.project import Project, scripts
from expandcontract.alembic_bridge.recorder import Recorded, record
from expandcontract.domain.change import Backfill, Change, Sync
from expandcontract.domain.duration import as_duration
from expandcontract.domain.phase import Phase
from expandcontract.errors import RevisionError

Part = Callable[[], Any]


@dataclass(frozen=True)
class Revision:
    """A revision file: the `Change` for decisions, the callables for running."""

    script: Script
    change: Change
    expand: tuple[Part, ...]
    contract: tuple[Part, ...]

    def parts(self, phase: Phase) -> tuple[Part, ...]:
        """The functions of a phase that runs as parts."""
        return {Phase.EXPAND: self.expand, Phase.CONTRACT: self.contract}[phase]

    @property
    def file(self) -> str:
        """The revision file's path."""
        return str(self.script.path)

    def line_of(self, value: object) -> int | None:
        """The line where the file gives `value` a name; None where it has none."""
        names = [name for name, known in vars(self.script.module).items() if known is value]
        return _line_of(Path(self.file), names[0]) if names else None

    @cached_property
    def recorded(self) -> dict[Phase, Recorded]:
        """The operations of expand and contract. This calls the functions, without a database."""
        return {phase: record(self.parts(phase)) for phase in (Phase.EXPAND, Phase.CONTRACT)}

    @property
    def syncs(self) -> tuple[Sync, ...]:
        """The Syncs that the expand installs."""
        found = self.recorded[Phase.EXPAND].operations
        return tuple(operation.sync for operation in found if isinstance(operation, CreateSyncOp))

    def with_footprints(self) -> Change:
        """The change with what only its operations tell: footprints, and whether it installs a Sync."""
        return replace(
            self.change,
            installs_sync=bool(self.syncs),
            footprints={phase: footprint(recorded) for phase, recorded in self.recorded.items()},
        )


def read_revisions(project: Project, default_window: timedelta) -> tuple[Revision, ...]:
    """
    Every revision of the tree, oldest first.

    Raises:
        RevisionError: a file fails to import, or one of our names in it has a value that can't be used.
    """
    revisions = tuple(_read(script, default_window) for script in scripts(project))
    known = {revision.change.revision for revision in revisions}
    for revision in revisions:
        _check_writers(revision, known)
    return revisions


def _check_writers(revision: Revision, known: set[str]) -> None:
    """A backfill that counts on code must be able to begin."""
    backfill = revision.change.backfill
    if backfill is None or backfill.writers is None:
        return
    if backfill.writers not in known:
        raise _wrong(revision.script, "backfill", f"writers={backfill.writers!r} is no revision of this tree")
    if backfill.writers == revision.change.revision and backfill.required:
        raise _wrong(
            revision.script,
            "backfill",
            "writers names this change itself, so the backfill begins once its release has traffic,"
            " and that release waits for the backfill: add required=False, or a Sync",
        )


def _read(script: Script, default_window: timedelta) -> Revision:
    module = script.module
    expand = _functions(script, "expand") or (_function(script, "upgrade"),)
    contract = _functions(script, "contract")
    backfill = getattr(module, "backfill", None)
    if backfill is not None and not isinstance(backfill, Backfill):
        raise _wrong(script, "backfill", f"backfill must be a Backfill(…), not {type(backfill).__name__}")
    change = Change(
        revision=script.revision,
        title=(script.doc or "").strip(),
        contract_after=_window(script, default_window),
        expand_parts=tuple(_name(part) for part in expand),
        contract_parts=tuple(_name(part) for part in contract),
        backfill=backfill,
    )
    return Revision(script, change, expand, contract)


def _function(script: Script, name: str) -> Part:
    function = getattr(script.module, name, None)
    if not callable(function):
        raise _wrong(script, name, f"{name}() is missing")
    return function  # type: ignore[no-any-return]


def _functions(script: Script, name: str) -> tuple[Part, ...]:
    """One function, or a tuple of them: the parts of a phase."""
    value = getattr(script.module, name, None)
    if value is None:
        return ()
    parts: Sequence[Any] = value if isinstance(value, (tuple, list)) else (value,)
    if not parts or not all(callable(part) for part in parts):
        raise _wrong(script, name, f"{name} must be a function, or a tuple of functions")
    return tuple(parts)


def _name(part: Part) -> str:
    return getattr(part, "__name__", repr(part))


def _window(script: Script, default: timedelta) -> timedelta:
    value = getattr(script.module, "contract_after", None)
    if value is None:
        return default
    try:
        return as_duration(value)
    except ValueError as error:
        raise _wrong(script, "contract_after", f"contract_after: {error}") from None


def _wrong(script: Script, name: str, what: str) -> RevisionError:
    return RevisionError(what, file=str(script.path), line=_line_of(Path(script.path), name))


def _line_of(file: Path, name: str) -> int | None:
    """The line where the module gives `name` a value."""
    for node in ast.parse(file.read_bytes()).body:
        targets: Sequence[ast.AST] = ()
        match node:
            case ast.Assign():
                targets = node.targets
            case ast.AnnAssign():
                targets = (node.target,)
            case ast.FunctionDef() if node.name == name:
                return node.lineno
        if any(isinstance(found, ast.Name) and found.id == name for target in targets for found in ast.walk(target)):
            return node.lineno
    return None
