"""``ec``: the group of commands, each loaded when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.cli.leaving import Leaving, leave
from expandcontract.cli.redaction import keep_logs_clean, redact
from expandcontract.errors import ExitCode

_COMMANDS = {
    "init": "expandcontract.cli.init:init",
    "revision": "expandcontract.cli.revision:revision",
    "new": "expandcontract.cli.new:new",
    "migrate": "expandcontract.cli.migrate:migrate",
    "backfill": "expandcontract.cli.backfill:backfill",
    "window": "expandcontract.cli.window:window",
    "undo": "expandcontract.cli.undo:undo",
    "amend": "expandcontract.cli.amend:amend",
    "adopt": "expandcontract.cli.adopt:adopt",
    "colour": "expandcontract.cli.colour:colour",
    "observe": "expandcontract.cli.observe:observe",
    "prove": "expandcontract.cli.prove:prove",
    "tombstone": "expandcontract.cli.tombstone:tombstone",
    "approve": "expandcontract.cli.approve:approve",
    "lint": "expandcontract.cli.lint:lint",
    "plan": "expandcontract.cli.overview:plan",
    "status": "expandcontract.cli.overview:status",
    "log": "expandcontract.cli.log:log",
    "doctor": "expandcontract.cli.doctor:doctor",
    "demo": "expandcontract.cli.demo:demo",
}


class LazyGroup(click.Group):
    """A group that imports a command when it is asked for: each verb pays for what it needs alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of a change's life."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="expandcontract", prog_name="ec")
@click.option(
    "-c", "--config", multiple=True, metavar="FILE", help="Alembic's configuration.  [env var: ALEMBIC_CONFIG]"
)
@click.option("-n", "--name", default="alembic", show_default=True, help="The section of the ini file to use.")
@click.option("-x", "x", multiple=True, metavar="KEY=VALUE", help="An argument for env.py, as Alembic's -x.")
@click.pass_context
def ec(context: click.Context, config: tuple[str, ...], name: str, x: tuple[str, ...]) -> None:
    """Change a live PostgreSQL schema in phases: expand, backfill, contract, in step with the live colour."""
    context.obj = ProjectOptions(config, name, x)


def main() -> None:
    """Run ``ec`` and leave the process with an exit code of `ExitCode`."""
    keep_logs_clean()
    try:
        ec.main(prog_name="ec", standalone_mode=False)
    except Leaving as done:
        leave(done.code)
    except click.ClickException as error:
        if "--json" in sys.argv[1:]:
            _print_document(error)
        error.show()
        sys.exit(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(ExitCode.INTERRUPTED)


def _print_document(error: click.ClickException) -> None:
    """A command line that can't be used has its document as well."""
    from expandcontract.cli.document import error_document
    from expandcontract.errors import UsageError

    context = getattr(error, "ctx", None)
    command = context.command_path.removeprefix("ec").strip() if context else ""
    click.echo(error_document(command, UsageError(error.format_message()), shown=redact))
