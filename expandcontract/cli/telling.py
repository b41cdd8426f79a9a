"""Telling the configured webhook what a command has come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from expandcontract.cli import options
from expandcontract.cli.redaction import redact
from expandcontract.errors import EcError

Teller = Callable[[str, str], None]  # gets the JSON document and a text for people; never raises


def nobody(document: str, text: str) -> None:
    """For commands that only read."""


def webhook_of(context: click.Context) -> Teller:
    """Whoever the configuration names; without one, nobody."""

    def tell(document: str, text: str) -> None:
        try:
            url = options.settings_of(context).webhook
        except EcError:  # which is what the command has said already
            return
        if url is not None:
            _send(url, document, text)

    return tell


def _send(url: str, document: str, text: str) -> None:
    from expandcontract.commands.webhook import post
    from expandcontract.database.actor import current_actor

    actor = current_actor(Path.cwd())
    who = {"person": actor.person, "host": actor.host, "tree": actor.tree}
    news = _redacted({**json.loads(document), **who, "text": text})
    why_not = post(url, json.dumps(news, ensure_ascii=False))
    if why_not is not None:
        click.echo(redact(f"the webhook wasn't told: {why_not}"), err=True)


def _redacted(value: Any) -> Any:
    """The same with each text redacted for itself, or the document might end within a password."""
    match value:
        case str():
            return redact(value)
        case dict():
            return {name: _redacted(item) for name, item in value.items()}
        case list():
            return [_redacted(item) for item in value]
    return value
