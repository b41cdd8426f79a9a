"""``ec lint``: options in, report out."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from expandcontract.commands import lint as command
from expandcontract.domain.phase import Phase
from expandcontract.errors import ExitCode, UsageError
from expandcontract.lint import baseline
from expandcontract.lint.catalogue import all_rules
from expandcontract.lint.explain import explain
from expandcontract.lint.finding import Severity
from expandcontract.lint.report import FORMATS, Report
from expandcontract.lint.settings import Settings, read_settings

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

    from expandcontract.alembic_bridge.rendering import RenderedRevision

_STDIN = "-"


@click.command("lint")
@click.argument("paths", nargs=-1)
@click.option("-c", "--config", type=Path, envvar="ALEMBIC_CONFIG", help="Alembic's configuration file.")
@click.option("-n", "--name", default="alembic", help="The section of that file.")
@click.option("--since", metavar="GIT_REF", help="Report only about files that differ from this commit.")
@click.option("--since-revision", metavar="REVISION", help="Report only about the revisions after this one.")
@click.option("--format", "format_", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--exit-zero", is_flag=True, help="Report, but return 0 whatever is found.")
@click.option("--explain", "rule", metavar="RULE", help="Tell all about one rule.")
@click.option("--schema", type=Path, help="SQL of what is deployed before the first file.")
@click.option("--phase", type=click.Choice([str(phase) for phase in Phase]), help="Judge SQL as this phase.")
@click.option("--no-transaction", is_flag=True, help="Nobody wraps the SQL in a transaction.")
@click.option("--server-version", metavar="VERSION", help="The oldest server in use, such as 15 or 14.2.")
@click.option("--time-zone", metavar="ZONE", help="The TimeZone of the session that will run it.")
@click.option("--prove", "scratch", metavar="DSN", help="Run everything on this scratch database, and compare.")
@click.option("--baseline", "baseline_file", type=Path, help="Report only what this file doesn't know.")
@click.option("--write-baseline", type=Path, help="Write a baseline that knows everything found now.")
def lint(
    paths: tuple[str, ...],
    config: Path | None,
    name: str,
    since: str | None,
    since_revision: str | None,
    format_: str,
    as_json: bool,
    exit_zero: bool,
    rule: str | None,
    schema: Path | None,
    phase: str | None,
    no_transaction: bool,
    server_version: str | None,
    time_zone: str | None,
    scratch: str | None,
    baseline_file: Path | None,
    write_baseline: Path | None,
) -> None:
    """Judge SQL files, directories of them, standard input (-), or without PATHS the tree of revisions."""
    if rule:
        if rule not in all_rules():
            raise UsageError(f"there is no rule {rule!r}")
        click.echo(explain(rule))
        return
    if scratch:
        sys.exit(_prove(scratch, paths, config, name, as_json=as_json or format_ == "json"))
    settings = _settings(server_version, time_zone)
    known = _baseline(baseline_file or (Path(settings.baseline) if settings.baseline else None))
    if write_baseline:
        known = None
    if paths:
        sources = _sources(paths)
        report = command.lint_texts(
            sources,
            settings,
            today=date.today(),
            schema=_text(schema) if schema else "",
            in_transaction=not no_transaction,
            phase=Phase(phase) if phase else None,
            reported=_reported_texts(sources, since),
            known=known,
        )
    else:
        report = _tree(config, name, settings, since, since_revision, known)
    if write_baseline:
        write_baseline.write_text(baseline.write(report.findings), encoding="utf-8")
    click.echo(FORMATS["json" if as_json else format_](report), nl=False)
    failing = any(finding.severity is Severity.ERROR for finding in report.findings)
    sys.exit(ExitCode.FINDINGS if failing and not exit_zero and not write_baseline else ExitCode.DONE)


def _sources(paths: tuple[str, ...]) -> list[command.Source]:
    files = [Path(path) for path in paths if path != _STDIN]
    sources = [command.Source(str(file), _text(file)) for file in command.sql_files(files)]
    if _STDIN in paths:
        sources.append(command.Source("<stdin>", sys.stdin.read()))
    return sources


def _prove(scratch: str, paths: tuple[str, ...], config: Path | None, name: str, *, as_json: bool) -> ExitCode:
    # here, because only this option needs a driver
    from expandcontract.commands import prove_lint

    if paths:
        steps = prove_lint.steps_of_texts((source.path, source.text) for source in _sources(paths))
    else:
        _, revisions = _rendered(config, name)
        steps = prove_lint.steps_of_tree(revisions)
    proofs = prove_lint.prove(list(steps), scratch)
    click.echo(prove_lint.as_json(proofs) if as_json else prove_lint.as_text(proofs), nl=False)
    return ExitCode.FINDINGS if any(proof.differences for proof in proofs) else ExitCode.DONE


def _settings(server_version: str | None, time_zone: str | None) -> Settings:
    settings = command.load_settings(Path.cwd())
    if server_version:
        asked = read_settings({"server_version": server_version})
        settings = replace(settings, server_version=asked.server_version)
    return replace(settings, time_zone=time_zone) if time_zone else settings


def _baseline(file: Path | None) -> baseline.Baseline | None:
    if file is None:
        return None
    try:
        return baseline.read(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: {error}") from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}") from error


def _reported_texts(sources: list[command.Source], since: str | None) -> set[str] | None:
    if since is None:
        return None
    changed = command.changed_since(since, Path.cwd())
    return {source.path for source in sources if Path(source.path).resolve() in changed}


def _tree(
    config: Path | None,
    name: str,
    settings: Settings,
    since: str | None,
    since_revision: str | None,
    known: baseline.Baseline | None,
) -> Report:
    script, revisions = _rendered(config, name)
    from alembic.util import (
        CommandError,
    )  # here, because a run over SQL files must not pay for importing Alembic

    from expandcontract.alembic_bridge.rendering import revisions_after

    try:
        reported = revisions_after(script, since_revision) if since_revision else None
    except CommandError as error:
        raise UsageError(str(error)) from error
    if since:
        changed = command.changed_since(since, Path.cwd())
        reported = changed if reported is None else reported & changed
    return command.lint_tree(revisions, settings, today=date.today(), reported=reported, known=known)


def _rendered(config: Path | None, name: str) -> tuple[ScriptDirectory, list[RenderedRevision]]:
    from alembic.util import CommandError  # here for the same reason

    from expandcontract.alembic_bridge.rendering import render_tree, script_directory

    file = config or Path("alembic.ini")
    if not file.is_file():
        raise UsageError(f"{file}: no such file; give SQL files, or -c with Alembic's configuration")
    try:
        script = script_directory(file, name)
        return script, list(render_tree(script))
    except CommandError as error:
        raise UsageError(str(error)) from error
