"""``ec revision``."""

from __future__ import annotations

from collections.abc import Iterator

import click

from expandcontract.alembic_bridge.authoring.writer import Place
from expandcontract.cli import options
from expandcontract.cli.boundary import run
from expandcontract.cli.speaking import conversation
from expandcontract.cli.text import lines, result_text
from expandcontract.commands import revision as command


@click.command(short_help="Write a revision file; its phases from the models, with --autogenerate.")
@click.argument("revisions", nargs=-1)
@click.option("-m", "--message", help="The change's title.")
@click.option("--autogenerate", is_flag=True, help="Compare the models with the database, and write every phase.")
@click.option("--merge", is_flag=True, help="Join REVISIONS into one head, or all heads.")
@click.option("--head", default="head", show_default=True, help="The revision that it comes after.")
@click.option("--splice", is_flag=True, help="Allow --head to be a revision that isn't a head.")
@click.option("--branch-label", multiple=True, metavar="NAME", help="A label of the new branch; repeatable.")
@click.option("--version-path", metavar="FOLDER", help="Where the file goes, among several version locations.")
@click.option("--rev-id", metavar="ID", help="The revision's id, instead of a random one.")
@click.option("--depends-on", multiple=True, metavar="REVISION", help="A revision that must run first; repeatable.")
@click.option("--contract-after", metavar="DURATION", help="The change's rollback window, as 14d.")
@options.dry_run
@options.as_json
@click.pass_context
def revision(
    context: click.Context,
    revisions: tuple[str, ...],
    message: str | None,
    autogenerate: bool,
    merge: bool,
    head: str,
    splice: bool,
    branch_label: tuple[str, ...],
    version_path: str | None,
    rev_id: str | None,
    depends_on: tuple[str, ...],
    contract_after: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """
    Write a new revision file.

    With --autogenerate it has every phase that leads from the database to the models: what old code doesn't notice in
    upgrade(), what only new code lives with in contract(), and the backfill between them.
    """
    if revisions and not merge:
        raise click.UsageError("REVISIONS are for --merge; the title goes after -m", context)
    if merge and autogenerate:
        raise click.UsageError("--merge joins heads and compares nothing; leave --autogenerate out", context)
    place = Place(head, splice, branch_label, version_path, rev_id, depends_on)

    def work() -> command.RevisionResult:
        settings = options.settings_of(context)
        if merge:
            return command.merge(settings, revisions=revisions, message=message, place=place, dry_run=dry_run)
        return command.revision(
            settings,
            conversation(as_json=as_json),
            message=message,
            place=place,
            autogenerate=autogenerate,
            contract_after=contract_after,
            dry_run=dry_run,
        )

    run("revision", work, as_json=as_json)


@result_text.register
def _(result: command.RevisionResult) -> str:
    if not result.files:
        return "nothing to do: the database is what the models say, or waiting contracts will make it so"
    if result.dry_run:
        return "\n\n".join(file.text.rstrip("\n") for file in result.files)
    return lines([*_written(result), "next: read it, then ec lint and ec migrate expand"])


def _written(result: command.RevisionResult) -> Iterator[str]:
    for file in result.files:
        yield f"wrote {file.path}"
        if file.undecided:
            yield f"      {file.undecided} place(s) in it need your decision; ec lint shows them"
