"""Signs in the statements that ran: read with the parser, and asked of the server where a probe is configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from expandcontract.commands.probing import Probing
from expandcontract.commands.sampling import samples
from expandcontract.config import Settings
from expandcontract.database.executor import Executor
from expandcontract.database.ledger import Ledger
from expandcontract.database.statement_ledger import StatementLedger
from expandcontract.database.tombstones import Taken
from expandcontract.domain.evidence import Verdict
from expandcontract.domain.moment import at
from expandcontract.domain.proof import Answer, Asked, Means, Sign, Word, outranked
from expandcontract.domain.removal import Removed
from expandcontract.domain.statements import Statement, called_since, uncovered
from expandcontract.evidence.dependants import Target
from expandcontract.lint.references import Unreadable, may_refer, reference

_SHOWN = 300  # characters of a statement


class StatementSigns:
    """
    Looks through the statements that were called.

    Args:
        settings: which nodes there are, and whose statements don't count.
        executor: reads the primary's counters.
        ledger: where the series are.
        seconds: how long the replicas may take, and how long the server may be asked.
        probing: the server's answers; None where no probe is configured.
        holds_locks: the server can't plan what waits for our own locks, so only what it said before counts.
    """

    def __init__(
        self,
        settings: Settings,
        executor: Executor,
        ledger: Ledger,
        seconds: float,
        probing: Probing | None,
        *,
        holds_locks: bool,
    ) -> None:
        self._settings = settings
        self._executor = executor
        self._ledger = ledger
        self._seconds = seconds
        self._probing = probing
        self._holds_locks = holds_locks
        spared = {*settings.maintenance_roles, settings.probe_role}  # what is planned for the probe may be counted
        self._spared = frozenset(spared)

    def find(self, targets: Sequence[Target], begin: datetime) -> tuple[list[Sign], list[Asked]]:
        """What speaks against a removal among the statements called since then; and what the server was asked."""
        signs, called = self._called(begin)
        if self._probing and not self._holds_locks:
            for target in targets:
                texts = [one.query for _, one in called if may_refer(one.query, _in_place(target))]
                if trouble := self._probing.ask(_taken(target), texts, self._seconds):
                    signs.append(Sign(Means.STATEMENTS, Verdict.INCONCLUSIVE, target[0], trouble))
        for node, statement in called:
            signs += self._in_statement(node, statement, targets)
        return signs, [Asked(text, target[0], word) for target in targets for text, word in self._said(target).items()]

    def _called(self, begin: datetime) -> tuple[list[Sign], list[tuple[str, Statement]]]:
        """The statements of each node, and why a node doesn't tell of all."""
        # a sample of now before what the ledger has would be taken for one that went backwards
        kept = StatementLedger(self._ledger.executor).series(begin)
        signs, called = [], []
        for node, sample in samples(self._settings, self._executor, self._ledger, self._seconds).items():
            series = kept.get(node)
            reason = uncovered(series, sample, begin, self._settings.observed_gap)
            if reason is not None:
                signs.append(Sign(Means.STATEMENTS, Verdict.INCONCLUSIVE, None, f"{node}: {reason}"))
            found = called_since(series, sample, begin)
            called += [(node, one) for one in found if one.counted.role not in self._spared]
        return signs, called

    def _said(self, target: Target) -> Mapping[str, Word]:
        return self._probing.said(_taken(target)) if self._probing else {}

    def _in_statement(self, node: str, statement: Statement, targets: Sequence[Target]) -> Iterator[Sign]:
        for target in targets:
            read, how = _read(statement.query, _in_place(target))
            word = self._said(target).get(statement.query)
            verdict = outranked(read, word)
            if verdict is Verdict.CLEAR:
                continue
            colour = self._settings.roles.get(statement.counted.role)
            role = f"{statement.counted.role} ({colour})" if colour else statement.counted.role
            when = f"last seen at {at(statement.grew_at)}" if statement.grew_at else "at an unknown time"
            yield Sign(
                Means.STATEMENTS,
                verdict,
                target[0],
                f"role {role} on {node} {_how(how, word)}: {short(statement.query)}"
                f" ({statement.calls} calls in all, {when})",
            )
            return


def short(query: str) -> str:
    """The statement in one line, as long as people care to read."""
    text = " ".join(query.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _read(query: str, removed: Removed) -> tuple[Verdict, str]:
    try:
        how = reference(query, removed)
    except Unreadable as error:
        return Verdict.INCONCLUSIVE, f"ran what can't be read ({error})"
    return (Verdict.SEEN, how) if how else (Verdict.CLEAR, "")


def _how(read: str, word: Word | None) -> str:
    """What the parser found, and what the server has to say to it."""
    if word is None:
        return read
    if word.answer is Answer.TOUCHES:
        return f"{read or 'touches it'} (the server says so)"
    return f"{read} (the server can't tell: {word.because})"


def _in_place(target: Target) -> Removed:
    one, relation = target
    return relation.holding(one)


def _taken(target: Target) -> Taken:
    one, relation = target
    return Taken(relation.schema, relation.name, (one.column,) if one.column else ())
