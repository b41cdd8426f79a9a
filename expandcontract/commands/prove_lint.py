"""``ec lint --prove``: run every statement on a scratch server, and compare with what the rules say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from expandcontract.database.address import address_from_text
from expandcontract.database.connect import connection_error
from expandcontract.database.expressions import assignments, qualified
from expandcontract.domain.change import Backfill
from expandcontract.errors import UsageError
from expandcontract.lint.reading.text import read
from expandcontract.lint.schema import Schema
from expandcontract.lint.server.effects import effects_of
from expandcontract.lint.server.locks import Lock
from expandcontract.lint.server.server import Effects, Server
from expandcontract.lint.statement import AlterDomain, Statement, Transaction
from expandcontract.proof.installation import Installation, choose_installation, find_installations
from expandcontract.proof.observing import Observed, Observer
from expandcontract.proof.scratch_server import ScratchServer

if TYPE_CHECKING:
    from expandcontract.alembic_bridge.rendering import RenderedPhase, RenderedRevision


@dataclass(frozen=True, slots=True)
class Step:
    """
    One statement to run, and where it comes from.

    ``phase`` is the revision's, empty for a file of SQL; ``again`` tells an upgrade that was proven already and only
    puts back what its downgrade took away.
    """

    path: str
    line: int
    sql: str
    phase: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What a statement did, and each difference from what the rules say that it does."""

    step: Step
    observed: Observed
    differences: tuple[str, ...]


def steps_of_texts(sources: Iterable[tuple[str, str]]) -> Iterator[Step]:
    """Give every statement of texts, each with its path; transactions are left to the observer."""
    for path, text in sources:
        encoded = text.encode("utf-8", "replace")
        begun = -1
        for statement in read(text):
            if not _is_run(statement) or statement.start == begun:  # a DO block is read as several
                continue
            begun = statement.start
            line = encoded[: statement.start].count(b"\n") + 1
            yield Step(path, line, encoded[statement.start : statement.end].decode("utf-8", "replace"))


def steps_of_tree(revisions: Iterable[RenderedRevision]) -> Iterator[Step]:
    """
    Give every statement of a tree, the oldest revision first.

    An upgrade is followed by its downgrade and by itself once more, as long as both could be rendered to their end;
    then come the backfill and the contract.
    """
    for revision in revisions:
        phases = {phase.name: phase for phase in revision.phases}
        upgrade, downgrade = phases.get("upgrade"), phases.get("downgrade")
        yield from _steps(revision, upgrade)
        if upgrade and downgrade and downgrade.segments and not (upgrade.unrendered or downgrade.unrendered):
            yield from _steps(revision, downgrade)
            yield from _steps(revision, upgrade, again=True)
        if revision.declared:
            yield Step(str(revision.path), 1, _whole_backfill(revision.declared), "backfill")
        yield from _steps(revision, phases.get("backfill"))
        yield from _steps(revision, phases.get("contract"))


def _steps(revision: RenderedRevision, phase: RenderedPhase | None, *, again: bool = False) -> Iterator[Step]:
    for segment in phase.segments if phase else ():
        for each in segment.statements:
            yield Step(str(revision.path), each.line, each.sql, phase.name if phase else "", again)


def _whole_backfill(backfill: Backfill) -> str:
    """Give a declared backfill as one statement; its engine runs the same over ranges of the key."""
    statement = sql.SQL("UPDATE {} SET {} WHERE {}").format(
        qualified(backfill.table, backfill.table_schema),
        assignments(backfill.assignments),
        sql.SQL(backfill.where or "true"),
    )
    return statement.as_string()


def _is_run(statement: Statement) -> bool:
    return bool(statement.tag) and not any(isinstance(action, Transaction) for action in statement.actions)


def prove(steps: Sequence[Step], dsn: str | None, *, wanted: int = 0, deployed: str = "") -> list[Proof]:
    """
    Run the steps in order on a scratch database, which keeps what they make.

    Args:
        steps: what to run.
        dsn: the database; None means a server of our own, which ends with us.
        wanted: the major version that our own server should have; where this machine has another, that one is taken.
        deployed: SQL of what is there before the first step.

    Raises:
        ConfigurationError: there are no server programs for a server of our own.
        ServerUnfit, ServerUnreachable: the database can't be reached.
        UsageError: what is deployed can't be made there.

    """
    if dsn is None:
        with ScratchServer(_installation(wanted)) as server:
            return prove(steps, server.dsn(), deployed=deployed)
    address = address_from_text(dsn, origin="--prove")
    try:
        connection = psycopg.connect(address.conninfo(application_name="ec lint --prove", connect_timeout="10"))
    except psycopg.OperationalError as error:
        raise connection_error(error, address) from None
    with connection:
        observer = Observer(connection)
        if deployed:
            try:
                connection.execute(deployed.encode())
            except psycopg.Error as error:
                raise UsageError("the schema to begin with can't be made there", because=str(error)) from None
        schema = Schema.from_sql(deployed)
        return [proof for step in steps if not (proof := _prove(step, observer, schema)).step.again]


def _installation(wanted: int) -> Installation:
    found = find_installations()
    return choose_installation(wanted if any(each.major == wanted for each in found) else None, among=found)


def _prove(step: Step, observer: Observer, schema: Schema) -> Proof:
    existing = set(schema.tables) | set(schema.views)
    server = Server(observer.version, schema, observer.time_zone)
    statements = read(step.sql)
    actions = [action for each in statements for action in each.actions]
    said = effects_of(actions, server.during(actions))
    observed = observer.run(step.sql)
    if any(isinstance(action, AlterDomain) for action in actions):
        said.scans = False  # it happens, but PostgreSQL announces it nowhere
    if observed.error is None:
        schema.learn(statements)
    return Proof(step, observed, tuple(_differences(said, observed, existing)))


def _differences(said: Effects, observed: Observed, existing: set[str]) -> Iterator[str]:
    if observed.error is not None or observed.locks is None:
        return
    compared = observed.locks.keys() if observed.outside else said.locks.keys() | observed.locks.keys()
    for relation in sorted(compared & existing):
        expected, seen = said.locks.get(relation), observed.locks.get(relation)
        if (expected or 0) != (seen or 0):
            yield f"{relation}: said {expected or 'no lock'}, seen {Lock(seen) if seen else 'no lock'}"
    expected_work = _work(said, existing)
    for kind in sorted(expected_work ^ observed.work):
        yield f"{kind}: said {_yes(kind in expected_work)}, seen {_yes(kind in observed.work)}"


def _work(said: Effects, existing: set[str]) -> set[str]:
    found = {
        kind
        for kind, happens in (
            ("rewrite", bool(said.rewrites & existing)),
            ("scan", said.scans),
            ("key check", said.checks_keys),
            ("index build", said.builds_index),
        )
        if happens
    }
    return found - {"scan", "index build"} if "rewrite" in found else found


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def as_text(proofs: Sequence[Proof]) -> str:
    """Give what was seen for a person, a statement at a time, differences below it."""
    lines = []
    for proof in proofs:
        step, observed = proof.step, proof.observed
        shown = " ".join(step.sql.split())
        phase = f"{step.phase}: " if step.phase else ""
        lines.append(f"{step.path}:{step.line}: {phase}{shown if len(shown) <= 90 else shown[:89] + '…'}")
        lines.append(f"    {_seen(observed)}")
        lines += [f"    differs: {difference}" for difference in proof.differences]
    differing = sum(1 for proof in proofs if proof.differences)
    failed = sum(1 for proof in proofs if proof.observed.error)
    lines.append(f"{len(proofs)} statements run, {failed} failed, {differing} differ from what the rules say")
    return "\n".join(lines) + "\n"


def _seen(observed: Observed) -> str:
    if observed.error:
        return f"failed: {observed.error}"
    locks = observed.locks
    if locks is None:
        held = "ran outside a transaction and never waited while it held a lock, so none was seen"
    else:
        held = ", ".join(f"{Lock(mode)} on {name}" for name, mode in sorted(locks.items())) or "no lock"
    work = f"; {', '.join(sorted(observed.work))}" if observed.work else ""
    return f"{held}{work}; {observed.seconds * 1000:.0f} ms"


def as_json(proofs: Sequence[Proof]) -> str:
    """Give what was seen as one JSON object of the schema ec/1."""
    differing = any(proof.differences for proof in proofs)
    document = {
        "schema": "ec/1",
        "command": "lint --prove",
        "outcome": "findings" if differing else "done" if proofs else "nothing",
        "statements": [
            {
                "path": proof.step.path,
                "line": proof.step.line,
                "phase": proof.step.phase or None,
                "statement": proof.step.sql,
                "locks": _named(proof.observed.locks),
                "work": sorted(proof.observed.work),
                "seconds": round(proof.observed.seconds, 6),
                "error": proof.observed.error,
                "differences": list(proof.differences),
            }
            for proof in proofs
        ],
    }
    return json.dumps(document, ensure_ascii=False) + "\n"


def _named(locks: dict[str, int] | None) -> dict[str, str] | None:
    return None if locks is None else {name: str(Lock(mode)) for name, mode in sorted(locks.items())}
