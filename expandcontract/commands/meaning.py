"""What the phases of a change touch and mean: Alembic renders their SQL, and the lint's parser reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from expandcontract.alembic_bridge.rendering import RenderedPart, RenderedPhase, RenderedRevision, render_revision
from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.alembic_bridge.source import essence, essence_of
from expandcontract.domain.change import Change, Sync
from expandcontract.domain.footprint import Footprint, Touched
from expandcontract.domain.phase import Phase
from expandcontract.domain.removal import Removal
from expandcontract.lint.footprint.footprint import footprint
from expandcontract.lint.footprint.standing import Standing
from expandcontract.lint.identifier import quoted
from expandcontract.lint.meaning import meaning
from expandcontract.lint.removal import removal

_PHASES = {"upgrade": Phase.EXPAND, "contract": Phase.CONTRACT}
# of a Backfill: what they say changes no row
_HOW_NOT_WHAT = frozenset(("rate", "required", "batch", "lock_timeout", "statement_timeout"))


class Reading:
    """
    What the revisions of a tree mean and touch, each looked at once.

    Args:
        revisions: those whose SQL has yet to run, or may be running.
        deployed: gives the SQL of what the database holds.
    """

    def __init__(self, revisions: Iterable[Revision], deployed: Callable[[], str]) -> None:
        self._revisions = tuple(revisions)
        self._deployed = deployed
        self._sql: dict[str, RenderedRevision] = {}
        self._changes: dict[str, Change] = {}

    def sql(self, revision: Revision) -> RenderedRevision:
        """The SQL of all phases; this calls their functions, without a database."""
        name = revision.change.revision
        if name not in self._sql:
            self._sql[name] = render_revision(revision.script)
        return self._sql[name]

    def part(self, revision: Revision, phase: Phase, index: int) -> str:
        """The SQL that one part runs in its transaction."""
        (found,) = (each for each in self.sql(revision).phases if _PHASES.get(each.name) is phase)
        segments = [segment for segment in found.parts[index].segments if segment.in_transaction]
        return "\n".join(each.sql for segment in segments for each in segment.statements)

    def change(self, revision: Revision) -> Change:
        """The change with its meanings, and with what only its operations tell."""
        name = revision.change.revision
        if name not in self._changes:
            meanings, removed = self._meanings(revision), self._removal(revision)
            self._changes[name] = replace(revision.with_sync(), meanings=meanings, removal=removed)
        return self._changes[name]

    def with_footprints(self, revision: Revision) -> Change:
        """The change with what its phases touch as well."""
        change = self.change(revision)
        if not change.footprints:
            phases = [phase for phase in self.sql(revision).phases if phase.name in _PHASES]
            touched = {_PHASES[phase.name]: footprint_of(phase, self._standing) for phase in phases}
            change = self._changes[change.revision] = replace(change, footprints=touched)
        return change

    @cached_property
    def _standing(self) -> Standing:
        """What stands on what in the database, and will once everything has run."""
        to_run = (_text(phase) for each in self._revisions for phase in self.sql(each).phases if phase.name in _PHASES)
        return Standing([self._deployed(), *to_run])

    def _removal(self, revision: Revision) -> Removal | None:
        """What the contract removes; its Sync's triggers and functions are among it."""
        for phase in self.sql(revision).phases:
            if _PHASES.get(phase.name) is Phase.CONTRACT:
                found = removal("\n".join(each.sql for segment in phase.segments for each in segment.statements))
                return replace(found, unknown=_unrendered(phase)) if phase.unrendered else found
        return None

    def _meanings(self, revision: Revision) -> dict[Phase, tuple[str, ...]]:
        meanings = {
            _PHASES[phase.name]: tuple(_meaning_of_part(part, revision) for part in phase.parts)
            for phase in self.sql(revision).phases
            if phase.name in _PHASES
        }
        if revision.change.backfill is not None:
            meanings[Phase.BACKFILL] = (_checksum(_plain(revision.change.backfill)),)
        return meanings


def footprint_of(phase: RenderedPhase, standing: Standing) -> Footprint:
    """What a phase touches; unknown where it needs a connection to know what it does."""
    found = footprint([_text(phase)], standing)
    for sync in _syncs(phase):
        found |= _footprint_of_sync(sync, standing)
    return replace(found, unknown=_unrendered(phase)) if phase.unrendered else found


def _unrendered(phase: RenderedPhase) -> str:
    stopped = phase.unrendered[0]
    return f"{phase.name}() needs a connection to know what it does (line {stopped.line}: {stopped.reason})"


def _text(phase: RenderedPhase) -> str:
    return "\n".join(each.sql for segment in phase.segments for each in segment.statements if not each.sync)


def _syncs(phase: RenderedPhase) -> list[Sync]:
    found = [each.sync for segment in phase.segments for each in segment.statements if each.sync]
    return [sync for number, sync in enumerate(found) if sync not in found[:number]]


def _footprint_of_sync(sync: Sync, standing: Standing) -> Footprint:
    """Its columns, of both shapes; and what its expressions read."""
    table = quoted(sync.table) if sync.schema is None else f"{quoted(sync.schema)}.{quoted(sync.table)}"
    expressions = (*sync.forward.values(), *sync.backward.values())
    read = footprint([f"SELECT {text} FROM {table};" for text in expressions], standing)  # noqa: S608  # never run
    columns = (*sync.old_columns, *sync.new_columns, *sync.reads)
    return read | Footprint.of(Touched(sync.table, column, sync.schema) for column in columns)


def _meaning_of_part(part: RenderedPart, revision: Revision) -> str:
    """Of its SQL; what a Sync installs is its declaration, since the triggers may change from one `ec` to the next."""
    if part.unrendered:
        return _checksum(["code", essence(Path(revision.file))])
    said: list[Any] = []
    for segment in part.segments:
        said.append(["transaction" if segment.in_transaction else "autocommit"])
        for statement in segment.statements:
            told = ["sync", _plain(statement.sync)] if statement.sync else ["sql", meaning(statement.sql)]
            if not (statement.sync and said[-1] == told):
                said.append(told)
    return _checksum(said)


def _plain(value: Any) -> Any:
    """A declared value as JSON; of its expressions only the meaning."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in sorted(value.items())}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: _plain(getattr(value, each.name)) for each in fields(value) if each.name not in _HOW_NOT_WHAT
        }
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if isinstance(value, str):
        return meaning(f"SELECT {value}")
    return essence_of(value) if callable(value) else value


def _checksum(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
