"""Telling the configured webhook what an acting command has come to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

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
    news = {**json.loads(document), "person": actor.person, "host": actor.host, "tree": actor.tree, "text": text}
    why_not = post(url, redact(json.dumps(news, ensure_ascii=False)))
    if why_not is not None:
        click.echo(redact(f"the webhook wasn't told: {why_not}"), err=True)
