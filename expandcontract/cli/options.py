"""The options that commands share, and the settings made from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.config import Settings, load_settings

Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object (schema ec/1) to stdout.")
dry_run = click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")


def locking(command: Command) -> Command:
    """The options of commands that take locks."""
    timeout = click.option(
        "--lock-timeout",
        metavar="DURATION",
        help="Longest wait for a lock.  [env var: EC_LOCK_TIMEOUT; default: 1200ms]",
    )
    budget = click.option(
        "--lock-budget",
        metavar="DURATION",
        help="All attempts of a part together.  [env var: EC_LOCK_BUDGET; default: 10m]",
    )
    cancel = click.option(
        "--cancel-blockers",
        metavar="AGE",
        help="End blockers with a transaction older than AGE, once the longest wait was in vain."
        "  [env var: EC_CANCEL_BLOCKERS]",
    )
    return timeout(budget(cancel(command)))


def settings_of(context: click.Context, **given: object) -> Settings:
    """
    The settings under the group's ``-c``, ``-n`` and ``-x`` and the options `given`.

    Raises:
        ConfigurationError: a value can't be used.
    """
    group = context.find_object(ProjectOptions) or ProjectOptions()
    return load_settings(group, given)
