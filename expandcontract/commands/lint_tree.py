"""``ec lint`` without paths: what is wrong with a tree of Alembic revisions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from expandcontract.commands.lint import assumptions, report_on
from expandcontract.commands.revision_changes import (
    Pair,
    mapped_at,
    removed_columns,
    removed_tables,
    removes,
    sql_of,
    touched_by,
)
from expandcontract.commands.revision_source import RevisionSource
from expandcontract.domain.footprint import Footprint
from expandcontract.domain.phase import Phase
from expandcontract.lint import baseline
from expandcontract.lint.accepts import settle
from expandcontract.lint.catalogue import rule_named
from expandcontract.lint.finding import Finding, Hazard, Severity
from expandcontract.lint.footprint.standing import Standing
from expandcontract.lint.identifier import qualified, quoted
from expandcontract.lint.linter import lint
from expandcontract.lint.reading.text import read
from expandcontract.lint.report import Report
from expandcontract.lint.scene import Guarantees, Surroundings
from expandcontract.lint.schema import Schema
from expandcontract.lint.settings import Settings
from expandcontract.lint.statement import (
    Action,
    AddColumn,
    AddConstraint,
    ConstraintKind,
)

if TYPE_CHECKING:
    from expandcontract.alembic_bridge.models import Models
    from expandcontract.alembic_bridge.rendering import RenderedPhase, RenderedRevision, Segment

# downgrade() takes back what upgrade() added, so removing is what it is for
_PHASES = {
    "upgrade": Phase.EXPAND,
    "backfill": Phase.BACKFILL,
    "contract": Phase.CONTRACT,
    "downgrade": Phase.CONTRACT,
}

# downgrade() runs while no live release ships the change; and it has no parts, so that nothing could be said about them
_NOT_ABOUT_UNDOING = ("enabling-expand-missing", "mapped-column-removed", "multiple-locks-in-transaction")


@dataclass(slots=True)
class _Tree:
    """What is carried from revision to revision while a tree is linted; ``mapped`` is what the models map."""

    settings: Settings
    today: date
    schema: Schema
    mapped: frozenset[Pair] = frozenset()
    statements: int = 0
    standing: Standing | None = None
    contracts: dict[str, Footprint] = field(default_factory=dict)  # of the revisions so far


def lint_tree(
    revisions: Iterable[RenderedRevision],
    settings: Settings,
    *,
    today: date,
    models: Callable[[], Models] | None = None,
    reported: set[Path] | None = None,
    known: baseline.Baseline | None = None,
    schema: str = "",
) -> Report:
    """
    Lint the rendered revisions of a tree, the oldest first; each sees the schema that those before it left.

    Args:
        revisions: the tree.
        settings: what to assume, and how grave to take it.
        today: decides which accepts have expired.
        models: what the models map; asked only where a contract removes something.
        reported: the revision files to report about; None means all.
        known: the findings that a baseline knows.
        schema: SQL of what was deployed before the first revision.

    """
    tree = _Tree(settings, today, Schema.from_sql(schema))
    rendered = list(revisions)
    if any(phase.name == "contract" for revision in rendered for phase in revision.phases):
        tree.standing = Standing([schema, *(sql_of(phase) for each in rendered for phase in each.phases)])
    findings: list[Finding] = []
    mapped = [frozenset[Pair]()] * len(rendered)
    if models and any(removes(revision) for revision in rendered):
        asked = models()
        mapped = mapped_at(rendered, frozenset((qualified(table), quoted(column)) for table, column in asked.columns))
        if asked.unknown:
            message = f"which columns the models map isn't known: {asked.unknown}"
            findings.append(_notice("not-analysed", message, 1, asked.env_py, tree)._replace(severity=Severity.NOTE))
    for revision, tree.mapped in zip(rendered, mapped, strict=True):
        found = list(_revision(revision, tree))
        if reported is None or revision.path.resolve() in reported:
            findings += found
    return report_on(findings, tree.statements, len(rendered), settings, known)


def _revision(revision: RenderedRevision, tree: _Tree) -> Iterator[Finding]:
    source = RevisionSource(revision.path)
    surroundings = Surroundings(
        removed=frozenset(removed_columns(revision)),
        removed_tables=frozenset(removed_tables(revision)),
        mapped=tree.mapped,
        has_backfill=revision.has_backfill,
        contracts=dict(tree.contracts),
        standing=tree.standing,
    )
    found: list[Finding] = []
    for rendered in revision.phases:
        # what downgrade() does is judged, and then forgotten: the history goes forward
        schema = tree.schema.fork(touched_by(rendered)) if rendered.name == "downgrade" else tree.schema
        found += _phase(rendered, schema, surroundings, source, tree)
    _remember_contract(revision, tree)
    placed = [(finding.rule, source.statement_at(finding.line), finding) for finding in found]
    kept, notices = settle(placed, source.accepts(), tree.today)
    yield from kept
    for notice in notices:
        yield _notice(notice.rule, notice.message, notice.at, revision.path, tree)
    for question in source.questions():
        yield _notice(question.rule, question.message, question.at, revision.path, tree)


def _remember_contract(revision: RenderedRevision, tree: _Tree) -> None:
    from expandcontract.commands.meaning import footprint_of  # here, because SQL files need no Alembic

    for phase in revision.phases:
        if phase.name == "contract" and tree.standing:
            tree.contracts[revision.revision] = footprint_of(phase, tree.standing)


def _phase(
    rendered: RenderedPhase, schema: Schema, surroundings: Surroundings, source: RevisionSource, tree: _Tree
) -> Iterator[Finding]:
    for known in rendered.known_types:
        schema.assume_column(known.table, known.column, known.type)
    for segment in rendered.segments:
        found = _segment(segment, _PHASES[rendered.name], schema, surroundings, source, tree)
        if rendered.name == "downgrade":
            found = (_as_undo(finding) for finding in found if finding.rule not in _NOT_ABOUT_UNDOING)
        yield from found
    schema.fresh.clear()
    for stopped in rendered.unrendered:
        message = (
            f"{rendered.name}() can't be rendered without a database ({stopped.reason}); "
            "nothing from this line on was looked into"
            if stopped.stopped
            else f"{rendered.name}() may do something else in a database ({stopped.reason}) than what was looked into"
        )
        yield _notice("not-analysed", message, stopped.line, source.path, tree)


def _as_undo(finding: Finding) -> Finding:
    """The way back is no reason to hold up the way forward, unless it cannot work at all."""
    if finding.severity is Severity.ERROR and rule_named(finding.rule).hazard is not Hazard.FAILURE:
        return finding._replace(severity=Severity.WARNING)
    return finding


def _segment(
    segment: Segment,
    phase: Phase,
    schema: Schema,
    surroundings: Surroundings,
    source: RevisionSource,
    tree: _Tree,
) -> Iterator[Finding]:
    starts, position = [], 0
    for statement in segment.statements:
        starts.append(position)
        position += len(statement.sql) + 1
    assumed = assumptions(tree.settings, in_transaction=segment.in_transaction, phase=phase).with_(
        guarantees=Guarantees(lock_timeout=True, statement_timeout=True),
        surroundings=surroundings,
    )
    sql = "\n".join(statement.sql for statement in segment.statements)
    path = _shown(source.path)
    severities = tree.settings.severities
    linted = lint(sql, schema, assumed, severities, path=path, today=tree.today, more_follows=True)
    tree.statements += linted.statements
    told: set[tuple[str, int]] = set()
    for finding in linted.findings:
        index = bisect_right(starts, finding.start) - 1
        if segment.statements[index].of_sync:  # what one op.create_sync does is one thing, and meant
            if rule_named(finding.rule).hazard is Hazard.ADVICE or (finding.rule, index) in told:
                continue
            line = segment.statements[index].line
            told |= {
                (finding.rule, n) for n, each in enumerate(segment.statements) if each.of_sync and each.line == line
            }
        placed = finding._replace(line=segment.statements[index].line or 1, column=1)
        yield _eased(placed) if _is_key_of_the_new_column(segment, index) else placed


def _is_key_of_the_new_column(segment: Segment, index: int) -> bool:
    """Whether the statement is the foreign key that ``op.add_column`` adds after a column without a value."""
    if not index or segment.statements[index].line != segment.statements[index - 1].line:
        return False
    column, key = (_first_action(segment.statements[number].sql) for number in (index - 1, index))
    return (
        isinstance(column, AddColumn)
        and isinstance(key, AddConstraint)
        and key.constraint.kind is ConstraintKind.FOREIGN_KEY
        and key.constraint.columns == (column.column.name,)
        and not column.column.has_default
    )


def _first_action(sql: str) -> Action | None:
    return next((action for statement in read(sql) for action in statement.actions), None)


def _eased(finding: Finding) -> Finding:
    """No row can fail the check of a new, empty column; it remains that PostgreSQL reads the table."""
    if finding.severity is not Severity.ERROR:
        return finding
    advice = "op.add_column(…, inline_references=True): then PostgreSQL needn't read the table"
    return finding._replace(severity=Severity.WARNING, instead=advice)


def _notice(rule: str, message: str, line: int, path: Path, tree: _Tree) -> Finding:
    definition = rule_named(rule)
    severity = tree.settings.severities.of(rule, definition, None, _shown(path))
    return Finding(
        rule=rule,
        severity=severity if severity is not Severity.OFF else Severity.NOTE,
        line=max(line, 1),
        column=1,
        statement="",
        message=message,
        why=definition.why,
        instead=definition.instead,
        path=_shown(path),
    )


def _shown(path: Path) -> str:
    """Give a path as the user would write it, and as CI systems expect it: from the current directory on."""
    resolved = path.resolve()
    return str(resolved.relative_to(Path.cwd()) if resolved.is_relative_to(Path.cwd()) else path)
