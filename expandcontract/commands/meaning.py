"""What the phases of a change touch and mean: Alembic renders their SQL, and the lint's parser reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from expandcontract.alembic_bridge.rendering import RenderedPart, RenderedPhase, RenderedRevision, render_revision
from expandcontract.alembic_bridge.revisions import Revision
from expandcontract.alembic_bridge.source import essence
from expandcontract.domain.change import Change, Sync
from expandcontract.domain.footprint import Footprint, Touched
from expandcontract.domain.phase import Phase
from expandcontract.lint.footprint.footprint import footprint
from expandcontract.lint.footprint.standing import Standing
from expandcontract.lint.identifier import quoted
from expandcontract.lint.meaning import meaning

PHASES = {"upgrade": Phase.EXPAND, "contract": Phase.CONTRACT}
_HOW_NOT_WHAT = frozenset(("rate", "required"))  # of a Backfill: what they say doesn't change any row


def rendered(revision: Revision) -> RenderedRevision:
    """The SQL of all phases; this calls their functions, without a database."""
    return render_revision(revision.script)


def sql_of(revisions: Iterable[RenderedRevision]) -> Iterator[str]:
    """The SQL that the phases of these revisions run forwards."""
    for revision in revisions:
        for phase in revision.phases:
            if phase.name in PHASES:
                yield _text(phase)


def with_footprints(change: Change, sql: RenderedRevision, standing: Standing) -> Change:
    """The change with what its phases touch in a database where `standing` holds."""
    found = {PHASES[phase.name]: footprint_of(phase, standing) for phase in sql.phases if phase.name in PHASES}
    return replace(change, footprints=found)


def footprint_of(phase: RenderedPhase, standing: Standing) -> Footprint:
    """What a phase touches; unknown where it needs a connection to know what it does."""
    found = footprint([_text(phase)], standing)
    for sync in _syncs(phase):
        found |= _footprint_of_sync(sync, standing)
    if phase.unrendered:
        stopped = phase.unrendered[0]
        reason = f"{phase.name}() needs a connection to know what it does (line {stopped.line}: {stopped.reason})"
        return replace(found, unknown=reason)
    return found


def _text(phase: RenderedPhase) -> str:
    return "\n".join(each.sql for segment in phase.segments for each in segment.statements if not each.sync)


def _syncs(phase: RenderedPhase) -> list[Sync]:
    found = [each.sync for segment in phase.segments for each in segment.statements if each.sync]
    return [sync for number, sync in enumerate(found) if sync not in found[:number]]


def _footprint_of_sync(sync: Sync, standing: Standing) -> Footprint:
    """Its columns, of both shapes; and what its expressions read."""
    table = quoted(sync.table) if sync.schema is None else f"{quoted(sync.schema)}.{quoted(sync.table)}"
    expressions = (*sync.forward.values(), *sync.backward.values())
    read = footprint([f"SELECT {text} FROM {table};" for text in expressions], standing)
    columns = (*sync.old_columns, *sync.new_columns, *sync.reads)
    return read | Footprint.of(Touched(sync.table, column, sync.schema) for column in columns)


def with_meanings(change: Change, revision: Revision, sql: RenderedRevision) -> Change:
    """The change with a checksum of what each part of each phase means."""
    meanings = {
        PHASES[phase.name]: tuple(_meaning_of_part(part, revision) for part in phase.parts)
        for phase in sql.phases
        if phase.name in PHASES
    }
    if change.backfill is not None:
        meanings[Phase.BACKFILL] = (_checksum(_plain(change.backfill)),)
    return replace(change, meanings=meanings)


def _meaning_of_part(part: RenderedPart, revision: Revision) -> str:
    """Of its SQL; what a Sync installs is its declaration, since the triggers may change from one `ec` to the next."""
    if part.unrendered:
        return _checksum(["code", essence(revision.path)])
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
    return value if value is None or isinstance(value, (bool, int)) else getattr(value, "__name__", repr(value))


def _checksum(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
