"""Whether a text ends the transaction that it runs in."""

from __future__ import annotations

import re

from expandcontract.lint.reading.text import read
from expandcontract.lint.statement import Transaction

_VERBS = frozenset({"commit", "rollback", "prepare"})
_MAY = re.compile(r"\b(commit|end|rollback|abort|prepare)\b", re.IGNORECASE)  # the others needn't be read


def ends_transaction(text: str) -> bool:
    """Whether one of its statements is a COMMIT, ROLLBACK (not to a savepoint) or PREPARE TRANSACTION."""
    return bool(_MAY.search(text)) and any(
        isinstance(action, Transaction) and action.verb in _VERBS
        for statement in read(text)
        for action in statement.actions
    )
