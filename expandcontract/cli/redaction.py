"""What the command line shows, without secrets: those of this process's environment, and what looks like one."""

from __future__ import annotations

import functools
import logging
import os
import re
import traceback

from expandcontract.domain import redaction


@functools.cache
def _known() -> tuple[str, ...]:
    return redaction.secrets_in(os.environ)


def redact(text: str) -> str:
    """A sentence without secrets."""
    return visible(redaction.redact(text, _known()))


_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """With what a terminal would obey rather than show, such as an escape sequence in somebody's name, written out."""
    return _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class RedactedRecord(logging.LogRecord):
    """A line of a log, env.py's and its libraries' included, without secrets; its traceback, too."""

    def getMessage(self) -> str:  # noqa: N802 - as the standard library calls it
        """The message with its arguments."""
        if self.exc_info and self.exc_info[0] and not self.exc_text:
            self.exc_text = redact("".join(traceback.format_exception(*self.exc_info)).rstrip())
        return redact(super().getMessage())


def keep_logs_clean() -> None:
    """From now on, in this process."""
    logging.setLogRecordFactory(RedactedRecord)
