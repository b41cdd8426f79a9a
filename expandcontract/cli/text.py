"""Texts for people. Each verb registers how its own result reads, beside its options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import singledispatch

from expandcontract.commands.colour import ColourView
from expandcontract.commands.proof_view import ProofView, SignView
from expandcontract.commands.result import Result
from expandcontract.commands.window_view import WindowView
from expandcontract.domain.duration import format_duration
from expandcontract.domain.moment import at
from expandcontract.domain.refusal import Refusal
from expandcontract.errors import EcError


def refusal_text(refusal: Refusal) -> str:
    """The three lines of a refusal."""
    title = f" ({refusal.title})" if refusal.title else ""
    return f"refused: {refusal.step}{title}\nbecause: {refusal.because}\nnext:    {refusal.next}"


def error_text(error: EcError) -> str:
    """What happened, because of what, and what to do next; as many lines as are known."""
    lines = [f"error:   {error}"]
    if error.because:
        lines.append(f"because: {error.because}")
    if error.next_command:
        lines.append(f"next:    {error.next_command}")
    return "\n".join(lines)


@singledispatch
def result_text(result: Result) -> str:
    """The result of a command, for a person; empty where the refusals say it all."""
    raise NotImplementedError(type(result).__name__)


def colour_line(view: ColourView) -> str:
    """A colour in one line."""
    if view.is_live:
        since = "live"
    else:
        since = f"had traffic until {at(view.last_traffic)}" if view.last_traffic else "never live"
    return f"{view.name:<10} {view.weight:>3} %  release {view.release:<12} {since}"


def window_line(view: WindowView) -> str:
    """How long a rollback window is, and what somebody has decided about it."""
    words = f"the window is {format_duration(view.declared + view.extended)}"
    if view.extended:
        words += f", {format_duration(view.extended)} of it an extension"
    if view.closed_at:
        words += f"; closed early at {at(view.closed_at)}"
    if view.person is None:
        return words
    return f"{words} (by {view.person}{f': {view.reason}' if view.reason else ''})"


def removed_text(removes: Sequence[str]) -> str:
    """What a contract removes, in a sentence."""
    return ", ".join(removes) or "nothing that anybody could refer to"


def sign_lines(signs: Sequence[SignView]) -> list[str]:
    """What speaks against a contract, a line each."""
    return [
        f"    {sign.means} is {sign.verdict}: {f'{sign.about}: ' if sign.about else ''}{sign.because}" for sign in signs
    ]


def unseen_lines(unseen: Sequence[str]) -> list[str]:
    """What nobody looked into, a line each."""
    return [f"    not looked into: {words}" for words in unseen]


def proof_lines(view: ProofView) -> list[str]:
    """The proof that a step went by."""
    head = f"    proof:   {view.verdict}; it removes {removed_text(view.removes)}"
    return [head, *(f"    {line}" for line in [*sign_lines(view.signs), *unseen_lines(view.unseen)])]


def lines(texts: Iterable[str]) -> str:
    """One under the other."""
    return "\n".join(texts)


def megabytes(growth: int) -> str:
    """``+1.5 MB``."""
    return f"{growth / 1_000_000:+.1f} MB"
