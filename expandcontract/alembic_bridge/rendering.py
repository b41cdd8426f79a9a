"""
The SQL that each phase of each revision would run, and the line that each statement comes from.

Renders in process and offline, as ``alembic upgrade --sql`` does; a phase that needs a connection is rendered
as far as it gets.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

from alembic.operations import Operations
from alembic.operations.ops import AlterColumnOp, MigrateOperation
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.base import Script
from sqlalchemy.exc import CompileError
from sqlalchemy.types import TypeEngine

from expandcontract.alembic_bridge.operations import CreateSyncOp, DropSyncOp

PHASES = ("upgrade", "backfill", "contract", "downgrade")
_BEGIN, _COMMIT = "BEGIN;", "COMMIT;"


@dataclass(frozen=True, slots=True)
class RenderedStatement:
    """
    One statement, and the line of the revision file that asked for it (0 where it is unknown).

    ``of_sync`` tells those of ``op.create_sync`` and ``op.drop_sync``.
    """

    sql: str
    line: int
    of_sync: bool = False


@dataclass(frozen=True, slots=True)
class KnownType:
    """What an ``existing_type=`` says about a column: names and type as SQL."""

    table: str
    column: str
    type: str


@dataclass(slots=True)
class Segment:
    """Statements that run together: inside one transaction, or (from an autocommit block) each by itself."""

    in_transaction: bool
    statements: list[RenderedStatement] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unrendered:
    """Why rendering stopped, and at which line of the revision."""

    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class RenderedPhase:
    """One phase of a revision: its name in the module, its SQL, and where rendering stopped, if it did."""

    name: str
    segments: tuple[Segment, ...]
    known_types: tuple[KnownType, ...]
    unrendered: tuple[Unrendered, ...]


@dataclass(frozen=True, slots=True)
class RenderedRevision:
    """All phases of one revision file."""

    revision: str
    path: Path
    has_backfill: bool
    phases: tuple[RenderedPhase, ...]


def render_tree(script: ScriptDirectory) -> Iterator[RenderedRevision]:
    """Give every revision of a tree, the oldest first."""
    for revision in reversed(list(script.walk_revisions())):
        yield render_revision(revision)


def render_revision(script: Script) -> RenderedRevision:
    """Give the SQL of every phase that the revision has."""
    module = script.module
    path = Path(script.path)
    phases = [_phase(name, functions, path) for name in PHASES if (functions := _functions(module, name))]
    return RenderedRevision(script.revision, path, hasattr(module, "backfill"), tuple(phases))


def _functions(module: ModuleType, name: str) -> Sequence[Callable[[], Any]]:
    """Give the parts of a phase; ``upgrade`` may be written as the tuple ``expand``."""
    found = getattr(module, "expand", None) if name == "upgrade" else None
    if found is None:
        found = getattr(module, name, None)
    if found is None or (name == "backfill" and not isinstance(found, FunctionType | tuple | list)):
        return ()  # a declared Backfill is run by its own engine, in ranges
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def _phase(name: str, functions: Sequence[Callable[[], Any]], path: Path) -> RenderedPhase:
    segments: list[Segment] = []
    known: list[KnownType] = []
    unrendered: list[Unrendered] = []
    for function in functions:
        output = _Output(path)
        context = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True, "output_buffer": output})
        with _recording(context, known, output):
            try:
                function()
            except Exception as error:
                unrendered.append(Unrendered(f"{type(error).__name__}: {error}", _line_of(error, path)))
        segments += [segment for segment in output.segments if segment.statements]
    return RenderedPhase(name, tuple(segments), tuple(known), tuple(unrendered))


@contextmanager
def _recording(context: MigrationContext, known: list[KnownType], output: _Output) -> Iterator[None]:
    """Let ``op.*`` also note what ``existing_type=`` tells, which is lost in the SQL."""
    with Operations.context(context) as operations:
        invoke = operations.invoke

        def note_and_invoke(operation: MigrateOperation) -> Any:
            if isinstance(operation, AlterColumnOp) and isinstance(operation.existing_type, TypeEngine):
                with suppress(CompileError):  # a type of another dialect tells nothing about this one
                    known.append(_known_type(operation, operation.existing_type, context))
            output.of_sync = isinstance(operation, CreateSyncOp | DropSyncOp)
            try:
                return invoke(operation)
            finally:
                output.of_sync = False

        operations.invoke = note_and_invoke  # type: ignore[method-assign]
        yield


def _known_type(operation: AlterColumnOp, existing: TypeEngine[Any], context: MigrationContext) -> KnownType:
    quote = context.dialect.identifier_preparer.quote
    table = quote(operation.table_name)
    if operation.schema:
        table = f"{quote(operation.schema)}.{table}"
    return KnownType(table, quote(operation.column_name), existing.compile(dialect=context.dialect))


class _Output:
    """Takes what Alembic writes, statement by statement, with the line of the revision that is at work."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self.segments = [Segment(in_transaction=True)]
        self.of_sync = False

    def write(self, text: str) -> None:
        statement = text.strip()
        if statement == _COMMIT:  # an autocommit block begins
            self.segments.append(Segment(in_transaction=False))
        elif statement == _BEGIN:  # and ends
            self.segments.append(Segment(in_transaction=True))
        elif statement:
            self.segments[-1].statements.append(RenderedStatement(statement, self._line(), self.of_sync))

    def flush(self) -> None:
        """Nothing is kept back."""

    def _line(self) -> int:
        frame: FrameType | None = sys._getframe(1)
        while frame and frame.f_code.co_filename != self._path:
            frame = frame.f_back
        return frame.f_lineno if frame else 0


def _line_of(error: BaseException, path: Path) -> int:
    line = 0
    trace = error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def revisions_after(script: ScriptDirectory, revision: str) -> set[Path]:
    """
    Give the files of the revisions that come after this one.

    Raises:
        CommandError: there is no such revision.

    """
    before = {each.revision for each in script.iterate_revisions(revision, "base")}
    return {Path(each.path).resolve() for each in script.walk_revisions() if each.revision not in before}
