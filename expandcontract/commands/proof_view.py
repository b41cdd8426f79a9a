"""A proof as people see it: what speaks against a removal, and what nobody looked into."""

from __future__ import annotations

from dataclasses import dataclass

from expandcontract.config import Settings
from expandcontract.domain.evidence import Verdict
from expandcontract.domain.facts import Facts
from expandcontract.domain.phase import Phase
from expandcontract.domain.proof import Means, Proof
from expandcontract.domain.step import Step


@dataclass(frozen=True)
class SignView:
    """A sign, for people and scripts."""

    means: Means
    verdict: Verdict
    about: str | None
    because: str


@dataclass(frozen=True)
class ProofView:
    """The verdict on a contract, what it removes, what speaks against it, and what nobody looked into."""

    step: Step
    verdict: Verdict
    removes: tuple[str, ...]
    signs: tuple[SignView, ...]
    unseen: tuple[str, ...]


def view_of(step: Step, proof: Proof) -> ProofView:
    """The proof, for people and scripts."""
    signs = tuple(
        SignView(sign.means, sign.verdict, str(sign.about) if sign.about else None, sign.because)
        for sign in proof.signs
    )
    return ProofView(step, proof.verdict, tuple(map(str, proof.removes)), signs, proof.unseen)


def proof_of(settings: Settings, step: Step, facts: Facts) -> ProofView | None:
    """The proof that the gate went by, where the configuration asks a contract for one."""
    proof = facts.proofs.get(step.revision) if settings.evidence and step.phase is Phase.CONTRACT else None
    return view_of(step, proof) if proof else None
