"""Whether anything still refers to what a contract removes: the signs that were found, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from expandcontract.domain.evidence import Verdict
from expandcontract.domain.removal import Removed


class Means(StrEnum):
    """How references are looked for."""

    CATALOG = "catalog"  # what stands on it in the database: views, functions, policies, indexes, publications
    MODELS = "models"  # what the models of the releases declare that have traffic, or could get it back
    STATEMENTS = "statements"  # what pg_stat_statements counted over the whole window, on every node


@dataclass(frozen=True)
class Sign:
    """
    Something that speaks against a removal.

    Attributes:
        means: how it was found.
        verdict: seen, or inconclusive where it only keeps from knowing.
        about: the column or table; None for all of them.
        because: the fact, with what a person needs to find it.
    """

    means: Means
    verdict: Verdict
    about: Removed | None
    because: str


class Answer(StrEnum):
    """What the server says of a statement that it was to plan for a role which lacks what goes."""

    TOUCHES = "touches"  # it was refused, and for that alone
    SPARES = "spares"  # it was planned
    UNKNOWN = "unknown"  # it can't be planned so, or not only for that


@dataclass(frozen=True)
class Word:
    """The server's answer, and why it gives no other."""

    answer: Answer
    because: str = ""


@dataclass(frozen=True)
class Asked:
    """A statement that the server was asked about, and what about it."""

    query: str
    about: Removed
    word: Word


def outranked(read: Verdict, word: Word | None) -> Verdict:
    """What a statement comes to of which the parser read one thing and the server said another, or nothing."""
    answers = {Answer.TOUCHES: Verdict.SEEN, Answer.SPARES: Verdict.CLEAR}
    return answers.get(word.answer, read) if word else read


@dataclass(frozen=True)
class Proof:
    """
    What looking for references came to.

    Attributes:
        removes: what was looked for.
        signs: what was found; none is the proof.
        asked: the statements that the server was asked about.
        unseen: what nobody looked into: no sign against the removal, but good to know.
    """

    removes: tuple[Removed, ...] = ()
    signs: tuple[Sign, ...] = ()
    asked: tuple[Asked, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def declared(self) -> tuple[Sign, ...]:
        """The releases whose models declare it."""
        return tuple(sign for sign in self.signs if sign.means is Means.MODELS and sign.verdict is Verdict.SEEN)

    @property
    def verdict(self) -> Verdict:
        """Seen as soon as something refers to it, else inconclusive as soon as that can't be known."""
        return worst([sign.verdict for sign in self.signs])


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """What several verdicts come to."""
    for verdict in (Verdict.SEEN, Verdict.INCONCLUSIVE):
        if verdict in verdicts:
            return verdict
    return Verdict.CLEAR
