"""What Alembic, env.py and revision files say while we use them, which is never a result of ours."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from expandcontract.domain.redaction import redact, secrets_in


class _Conversation(io.TextIOBase):
    """Where prints go: to stderr, without the passwords that the process was given."""

    def write(self, text: str) -> int:
        sys.stderr.write(redact(text, secrets_in(os.environ)))
        return len(text)


@contextmanager
def quiet() -> Iterator[None]:
    """Alembic's chatter once per part would drown our own; what env.py prints is conversation, not a result."""

    def only_warnings(record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING

    logger = logging.getLogger("alembic.runtime.migration")
    logger.addFilter(only_warnings)
    try:
        with redirect_stdout(_Conversation()):
            yield
    finally:
        logger.removeFilter(only_warnings)
