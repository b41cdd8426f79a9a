"""
The SQL that each phase of each revision would run, and the line that each statement comes from.

Renders in process and offline, as ``alembic upgrade --sql`` does; a phase that needs a connection is rendered
as far as it gets.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType, FunctionType, ModuleType
from typing import Any

from alembic.operations import Operations
from alembic.operations.ops import AlterColumnOp, MigrateOperation
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.script.base import Script
from sqlalchemy import Dialect, literal, make_url
from sqlalchemy.exc import CompileError, NoInspectionAvailable
from sqlalchemy.types import NullType, String, TypeEngine

from expandcontract.alembic_bridge.chatter import quiet
from expandcontract.alembic_bridge.operations import CreateSyncOp, DropSyncOp
from expandcontract.alembic_bridge.unconnected import NoAnswer, Unconnected
from expandcontract.domain.change import Backfill, Sync

PHASES = ("upgrade", "backfill", "contract", "downgrade")


@dataclass(frozen=True, slots=True)
class RenderedStatement:
    """
    One statement, and the line of the revision file that asked for it (0 where it is unknown).

    ``sync`` is set for those of ``op.create_sync`` and ``op.drop_sync``.
    """

    sql: str
    line: int
    sync: Sync | None = None

    @property
    def of_sync(self) -> bool:
        """Whether it is one of those that a Sync consists of."""
        return self.sync is not None


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
    """Why what was rendered may not be all, and from which line of the revision on; ``stopped`` if it ended there."""

    reason: str
    line: int
    stopped: bool = True


@dataclass(frozen=True, slots=True)
class RenderedPart:
    """The SQL of one part of a phase, and where it needs a database to go on, if it does."""

    segments: tuple[Segment, ...]
    unrendered: Unrendered | None = None


@dataclass(frozen=True, slots=True)
class RenderedPhase:
    """One phase of a revision: its name in the module, and its parts."""

    name: str
    parts: tuple[RenderedPart, ...]
    known_types: tuple[KnownType, ...] = ()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What all parts run."""
        return tuple(segment for part in self.parts for segment in part.segments)

    @property
    def unrendered(self) -> tuple[Unrendered, ...]:
        """Where the parts stopped that did."""
        return tuple(part.unrendered for part in self.parts if part.unrendered)


@dataclass(frozen=True, slots=True)
class RenderedRevision:
    """All phases of one revision file; ``declared`` is its backfill where that isn't a function of its own."""

    revision: str
    path: Path
    has_backfill: bool
    phases: tuple[RenderedPhase, ...]
    declared: Backfill | None = None


def render_tree(script: ScriptDirectory) -> Iterator[RenderedRevision]:
    """Give every revision of a tree, the oldest first."""
    for revision in reversed(list(script.walk_revisions())):
        yield render_revision(revision)


def render_revision(script: Script) -> RenderedRevision:
    """Give the SQL of every phase that the revision has."""
    module = script.module
    path = Path(script.path)
    phases = [_phase(name, functions, path) for name in PHASES if (functions := _functions(module, name))]
    backfill = getattr(module, "backfill", None)
    declared = backfill if isinstance(backfill, Backfill) else None
    return RenderedRevision(script.revision, path, backfill is not None, tuple(phases), declared)


def _functions(module: ModuleType, name: str) -> Sequence[Callable[[], Any]]:
    """Give the parts of a phase; ``upgrade`` may be written as the tuple ``expand``."""
    found = getattr(module, "expand", None) if name == "upgrade" else None
    if found is None:
        found = getattr(module, name, None)
    if found is None or (name == "backfill" and not isinstance(found, FunctionType | tuple | list)):
        return ()  # a declared Backfill is run by its own engine, in ranges
    return tuple(found) if isinstance(found, tuple | list) else (found,)


def _phase(name: str, functions: Sequence[Callable[[], Any]], path: Path) -> RenderedPhase:
    known: list[KnownType] = []
    parts = tuple(_part(function, path, known) for function in functions)
    return RenderedPhase(name, parts, tuple(known))


@quiet()
def _part(function: Callable[[], Any], path: Path, known: list[KnownType]) -> RenderedPart:
    output = _Output(path)
    options = {"as_sql": True, "literal_binds": True, "output_buffer": output}
    context = _Watched(_dialect(), None, options)
    context.asked_from = str(path)
    context.impl.emit_commit = output.autocommit_begins  # type: ignore[method-assign]
    context.impl.emit_begin = output.autocommit_ends  # type: ignore[method-assign]
    stopped = None
    with _recording(context, known, output):
        try:
            function()
        except Exception as error:
            if not _is_refusal(function, error, path):
                stopped = Unrendered(_reason(error), _line_of(error, path))
    if stopped is None and context.asked_at is not None:
        stopped = Unrendered("it asks for a database, or what is in it", context.asked_at, stopped=False)
    return RenderedPart(tuple(segment for segment in output.segments if segment.statements), stopped)


def _dialect() -> Dialect:
    """Give a dialect whose statements are complete: percent signs stand once, and values stand in them."""
    made: Callable[..., Dialect] = make_url("postgresql://").get_dialect()
    dialect = made(paramstyle="named")
    of_the_dialect: Any = dialect.statement_compiler
    dialect.statement_compiler = _with_values(of_the_dialect)
    return dialect


@cache
def _with_values(of_the_dialect: Any) -> Any:
    """
    Give a compiler that writes every value.

    Where the revision doesn't say what type a value has, as in ``sa.table("users", sa.column("tier"))``, it is
    what SQLAlchemy takes it for.
    """

    class WithValues(of_the_dialect):  # type: ignore[misc]  # the base is known at run time only
        def render_literal_value(self, value: Any, type_: TypeEngine[Any]) -> str:
            known = literal(value).type if isinstance(type_, NullType) else type_
            try:
                return str(super().render_literal_value(value, known))
            except CompileError:  # SQLAlchemy can't write such a value; as text it can at least be read
                return str(super().render_literal_value(str(value), String()))

    return WithValues


class _Watched(MigrationContext):
    """Notes where a revision asks whether it runs without a database: then it may do something else in one."""

    asked_from = ""
    asked_at: int | None = None

    @property
    def as_sql(self) -> bool:
        """Whether SQL is only written, as Alembic's own code asks at every turn."""
        caller = sys._getframe(1)
        if caller.f_code.co_filename == self.asked_from and self.asked_at is None:
            self.asked_at = caller.f_lineno
        return True

    @as_sql.setter
    def as_sql(self, _: bool) -> None:
        """It always is."""


@contextmanager
def _recording(context: _Watched, known: list[KnownType], output: _Output) -> Iterator[None]:
    """Let ``op.*`` also note what ``existing_type=`` tells, which is lost in the SQL."""
    with Operations.context(context) as operations:
        invoke = operations.invoke

        def note_and_invoke(operation: MigrateOperation) -> Any:
            if isinstance(operation, AlterColumnOp) and isinstance(operation.existing_type, TypeEngine):
                with suppress(CompileError):  # a type of another dialect tells nothing about this one
                    known.append(_known_type(operation, operation.existing_type, context))
            output.sync = operation.sync if isinstance(operation, CreateSyncOp | DropSyncOp) else None
            try:
                return invoke(operation)
            finally:
                output.sync = None

        def asked() -> None:
            context.asked_at = context.asked_at or output.line()

        unconnected = Unconnected(operations.get_bind(), output.write, asked)
        operations.invoke = note_and_invoke  # type: ignore[method-assign]
        operations.get_bind = lambda: unconnected  # type: ignore[assignment,method-assign,return-value]
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
        self.sync: Sync | None = None

    def write(self, text: str) -> None:
        statement = text.strip()
        if statement:
            self.segments[-1].statements.append(RenderedStatement(statement, self.line(), self.sync))

    def autocommit_begins(self) -> None:
        """What Alembic means by the COMMIT before such a block; one of the revision's own is a statement."""
        self.segments.append(Segment(in_transaction=False))

    def autocommit_ends(self) -> None:
        """What it means by the BEGIN after it."""
        self.segments.append(Segment(in_transaction=True))

    def flush(self) -> None:
        """Nothing is kept back."""

    def line(self) -> int:
        """The line of the revision that is at work."""
        frame: FrameType | None = sys._getframe(1)
        while frame and frame.f_code.co_filename != self._path:
            frame = frame.f_back
        return frame.f_lineno if frame else 0


def _reason(error: Exception) -> str:
    if isinstance(error, NoAnswer):
        return "it reads what a statement answers"
    if isinstance(error, NoInspectionAvailable):
        return "it inspects the database"
    return f"{type(error).__name__}: {error}"


def _is_refusal(function: Callable[[], Any], error: Exception, path: Path) -> bool:
    """Whether a downgrade ended with a ``raise`` that nothing leads past: it refuses, and would in a database, too."""
    if function.__name__ != "downgrade":
        return False
    line = _line_of(error, path)
    module = ast.parse(path.read_bytes())
    bodies = (node.body for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "downgrade")
    return any(isinstance(node, ast.Raise) and node.lineno == line for body in bodies for node in body)


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
    script.get_revisions(revision)  # iterate_revisions would raise an error of its own where there is none
    before = {each.revision for each in script.iterate_revisions(revision, "base")}
    return {Path(each.path).resolve() for each in script.walk_revisions() if each.revision not in before}
