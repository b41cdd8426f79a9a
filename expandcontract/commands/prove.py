"""``ec prove``: does anything still refer to what a contract removes?"""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.commands.asking import PATIENCE
from expandcontract.commands.proof_view import SignView, view_of
from expandcontract.commands.proving import Prover
from expandcontract.commands.result import Outcome, Result
from expandcontract.commands.situation import open_situation
from expandcontract.config import Settings
from expandcontract.database.executor import PsycopgExecutor
from expandcontract.domain.evidence import Verdict
from expandcontract.domain.phase import Phase
from expandcontract.domain.proof import Answer, Means
from expandcontract.domain.step import Step
from expandcontract.errors import UsageError


@dataclass(frozen=True)
class AskedView:
    """A statement that the server was asked about: what of it goes, the answer, and why there is no other."""

    query: str
    about: str
    answer: Answer
    because: str


@dataclass(frozen=True, kw_only=True)
class ProveResult(Result):
    """
    The verdict on a contract, what it removes, and what speaks against it.

    ``asked`` is what the server said of which statement, ``unseen`` what nobody looked into.
    """

    step: Step
    verdict: Verdict
    removes: tuple[str, ...]
    signs: tuple[SignView, ...]
    asked: tuple[AskedView, ...]
    unseen: tuple[str, ...]


def prove(settings: Settings, *, name: str) -> ProveResult:
    """
    Look for references to what the contract of the revision `name` removes, in every way there is. Reads only.

    The outcome is `Outcome.FINDINGS` unless the verdict is clear.

    Raises:
        UsageError: the revision has no contract, or it is done; or there is no ledger.
        EcError: see `expandcontract.errors`.
    """
    with open_situation(settings) as situation:
        change = situation.understood(situation.revision(name)).change
        step = Step(change.revision, Phase.CONTRACT)
        if not change.contract_parts:
            raise UsageError(f"{change.revision} ({change.title}) has no contract()", next_command="ec plan")
        if not situation.has_ledger:
            raise UsageError("this database has no ledger, so no contract waits", next_command="ec migrate expand")
        facts = situation.observed_facts()
        if facts.is_done(change.revision, Phase.CONTRACT):
            raise UsageError(f"{step} is done: what it removed is gone", next_command="ec status")
        executor, ledger = PsycopgExecutor(situation.connection), situation.ledger
        prover = Prover(settings, executor, ledger, PATIENCE, situation.probing)
        proof = prover.prove(change, tuple(Means), facts)
        view = view_of(step, proof)
        return ProveResult(
            outcome=Outcome.DONE if proof.verdict is Verdict.CLEAR else Outcome.FINDINGS,
            step=step,
            verdict=view.verdict,
            removes=view.removes,
            signs=view.signs,
            asked=tuple(AskedView(one.query, str(one.about), one.word.answer, one.word.because) for one in proof.asked),
            unseen=view.unseen,
        )
