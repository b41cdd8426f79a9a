"""The ``--json`` documents: one object, ``"schema": "ec/1"``. Kept stable."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum

from expandcontract.commands.result import Result
from expandcontract.domain.refusal import Refusal
from expandcontract.domain.step import Step
from expandcontract.errors import EcError

SCHEMA = "ec/1"


def result_document(command: str, result: Result) -> str:
    """The document of a command that came to a result."""
    body = {field.name: plain(getattr(result, field.name)) for field in fields(result) if field.name != "outcome"}
    if not result.refusals:
        del body["refusals"]
    return _document(command, str(result.outcome), **body)


def error_document(command: str, error: EcError, *, shown: Callable[[str], str] = str) -> str:
    """The document of a command that ended in an error; each of its texts as it is `shown`."""
    return _document(
        command,
        "failed",
        error={
            "kind": type(error).__name__,
            "message": shown(str(error)),
            "because": error.because and shown(error.because),
            "next": error.next_command and shown(error.next_command),
        },
    )


def _document(command: str, outcome: str, **body: object) -> str:
    return json.dumps({"schema": SCHEMA, "command": command, "outcome": outcome, **body}, ensure_ascii=False)


def plain(value: object) -> object:
    """`value` in JSON's own kinds: times in ISO 8601 with zone, lengths of time in seconds, steps by their name."""
    match value:
        case Refusal():
            names = ("step", "code", "because", "until", "next")
            return {name: plain(getattr(value, name)) for name in names}
        case Step():
            return str(value)
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case tuple() | list() | frozenset() | set():
            return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value
