"""The server's answers about statements, each asked for once in the life of a command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from expandcontract.database.address import Address
from expandcontract.database.connect import connect
from expandcontract.database.probe import Probe, Unaskable
from expandcontract.database.tombstones import Taken
from expandcontract.domain.proof import Answer, Word
from expandcontract.errors import EcError


@dataclass
class Probing:
    """
    Remembers what the server said.

    A step asks again when it holds its locks, and the server can't plan then what waits for them; so it goes by what
    was said before.

    Attributes:
        address: where; with the search path of env.py's connections.
        application_name: how other sessions see us.
        role: who is to lack what goes.
        lock_timeout: in seconds.
    """

    address: Address
    application_name: str
    role: str
    lock_timeout: float
    _said: dict[Taken, dict[str, Word]] = field(default_factory=dict)

    def ask(self, taken: Taken, texts: Sequence[str], seconds: float) -> str | None:
        """
        Ask about the texts that the server wasn't asked about yet; `said` then has the answers.

        Returns:
            Why it can't be asked about any; None where it could.
        """
        said = self._said.setdefault(taken, {})
        new = [text for text in dict.fromkeys(texts) if text not in said]
        if not new:
            return None
        try:
            name = self.application_name
            with connect(self.address, application_name=name, pin_search_path=False, direct=True) as connection:
                said |= Probe(connection, self.role, self.lock_timeout).ask(taken, new, seconds)
        except (Unaskable, EcError) as error:
            return f"role {self.role} can't be the server's probe: {error}"
        late = Word(Answer.UNKNOWN, f"there was no time for it within {seconds:g} s")
        said |= {text: late for text in new if text not in said}
        return None

    def said(self, taken: Taken) -> Mapping[str, Word]:
        """What the server said of each text so far."""
        return self._said.get(taken, {})
