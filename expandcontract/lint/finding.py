"""What the linter reports, and how grave it is."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How much a finding matters; only an error makes ``ec lint`` exit with 1."""

    ERROR = "error"  # it would hurt
    WARNING = "warning"  # it may hurt
    NOTE = "note"  # advice
    OFF = "off"  # not reported


class Hazard(StrEnum):
    """The classes of rules; the class decides the severity, together with the phase."""

    LOCKING = "L"  # blocks the application
    DESTRUCTIVE = "D"  # takes away what running code may still need
    COMPATIBILITY = "C"  # code that runs now breaks
    FAILURE = "R"  # fails when it is run
    TRANSACTION = "T"  # locks are held for longer than they need to be
    ADVICE = "A"  # no danger by itself
    PHASE = "P"  # the phase of a change contradicts its content
    ANALYSIS = "N"  # something that the linter couldn't look into, or an accept that is wrong


class Finding(NamedTuple):
    """One finding; lines and columns count from 1, offsets (in characters) from 0, in the linted text."""

    rule: str
    severity: Severity
    line: int
    column: int
    statement: str
    message: str
    why: str
    instead: str
    start: int = 0
    end: int = 0
    path: str | None = None
