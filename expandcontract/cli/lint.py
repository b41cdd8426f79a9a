"""``ec lint``: options in, report out."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.cli.leaving import Leaving
from expandcontract.commands import lint as command
from expandcontract.domain.phase import Phase
from expandcontract.errors import ExitCode, UsageError
from expandcontract.lint import baseline
from expandcontract.lint.catalogue import rule_named, rule_names
from expandcontract.lint.explain import explain
from expandcontract.lint.finding import Severity
from expandcontract.lint.report import FORMATS, Report
from expandcontract.lint.settings import Settings, read_settings
from expandcontract.whole_file import write_whole

if TYPE_CHECKING:
    from expandcontract.alembic_bridge.project import Project
    from expandcontract.alembic_bridge.rendering import RenderedRevision
    from expandcontract.commands.result import Result

_STDIN = "-"
_HERE = ""  # --prove and --schema-from without a value


@click.command("lint")
@click.argument("paths", nargs=-1)
@click.option("--since", metavar="GIT_REF", help="Report only what is new since this commit.")
@click.option("--since-revision", metavar="REVISION", help="Report only about the revisions after this one.")
@click.option(
    "--format", "format_", type=click.Choice(list(FORMATS)), default="text", show_default=True, help="How to report."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--exit-zero", is_flag=True, help="Report, but return 0 whatever is found.")
@click.option("--explain", "rule", metavar="RULE", help="Tell all about one rule.")
@click.option("--schema", type=Path, help="SQL of what is deployed before the first file.")
@click.option(
    "--schema-from",
    is_flag=False,
    flag_value=_HERE,
    metavar="[DSN]",
    help="Read what is deployed from this database; without a value, from `EC_DATABASE_URL`.",
)
@click.option("--phase", type=click.Choice([str(phase) for phase in Phase]), help="Judge SQL as this phase.")
@click.option("--no-transaction", is_flag=True, help="Nobody wraps the SQL in a transaction.")
@click.option("--server-version", metavar="VERSION", help="The oldest server in use, such as 15 or 14.2.")
@click.option("--time-zone", metavar="ZONE", help="The TimeZone of the session that will run it.")
@click.option(
    "--prove",
    "scratch",
    is_flag=False,
    flag_value=_HERE,
    metavar="[DSN]",
    help="Run everything on this scratch database, or on a scratch server of our own, and compare.",
)
@click.option("--baseline", "baseline_file", type=Path, help="Report only what this file doesn't know.")
@click.option("--write-baseline", type=Path, help="Write a baseline that knows everything found now.")
@click.pass_context
def lint(
    context: click.Context,
    paths: tuple[str, ...],
    since: str | None,
    since_revision: str | None,
    format_: str,
    as_json: bool,
    exit_zero: bool,
    rule: str | None,
    schema: Path | None,
    schema_from: str | None,
    phase: str | None,
    no_transaction: bool,
    server_version: str | None,
    time_zone: str | None,
    scratch: str | None,
    baseline_file: Path | None,
    write_baseline: Path | None,
) -> None:
    """Judge SQL files, directories of them, standard input (-), or without PATHS the tree of revisions."""
    as_json = as_json or format_ == "json"
    options = context.find_object(ProjectOptions) or ProjectOptions()

    def work() -> ExitCode:
        if rule:
            return _explain(rule)
        texts, database = _dsn_or_path(paths, schema_from)
        texts, server = _dsn_or_path(texts, scratch)
        settings = _settings(options, server_version, time_zone)
        deployed = _deployed(schema, database)
        if server is not None:
            return _prove(server, texts, options, settings, deployed, as_json=as_json)
        known = _baseline(baseline_file or (Path(settings.baseline) if settings.baseline else None))
        if write_baseline:
            known = None
        if texts:
            sources = _sources(texts)
            report = command.lint_texts(
                sources,
                settings,
                today=date.today(),
                schema=deployed,
                in_transaction=not no_transaction,
                phase=Phase(phase) if phase else None,
                before=_changed_texts(sources, since),
                known=known,
            )
        else:
            report = _tree(options, settings, since, since_revision, known, deployed)
        if write_baseline:
            write_whole(write_baseline, baseline.write(report.findings))
        _print(FORMATS["json" if as_json else format_](report))
        failing = any(finding.severity is Severity.ERROR for finding in report.findings)
        return ExitCode.FINDINGS if failing and not exit_zero and not write_baseline else ExitCode.DONE

    _run(work, as_json=as_json)


def _run(work: Callable[[], ExitCode], *, as_json: bool) -> NoReturn:
    """
    Do the work and end the process; whatever is raised goes through the boundary of all commands.

    The boundary knows the drivers' errors, so that it is imported only where there is one: a driver takes longer
    to import than a file to lint.
    """
    collecting = gc.isenabled()
    gc.disable()  # parse trees have no cycles: looking for them takes a tenth of a run
    try:
        code = work()
    except click.ClickException:
        raise
    except (Exception, KeyboardInterrupt) as raised:
        from expandcontract.cli import boundary

        error = raised

        def again() -> Result:
            raise error

        boundary.run("lint", again, as_json=as_json)
        raise  # not reached: the boundary has ended the process
    finally:
        if collecting:
            gc.freeze()  # or the collector would begin with all that the process is about to give back
            gc.enable()
    raise Leaving(code)


def _print(text: str) -> None:
    """To stdout; a reader that has gone away (``| head``) is no error."""
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(rule: str) -> ExitCode:
    if rule not in rule_names():
        raise UsageError(f"there is no rule {rule!r}", next_command="ec lint, which names the rules that it applies")
    _print(explain(rule, rule_named(rule)) + "\n")
    return ExitCode.DONE


def _dsn_or_path(paths: tuple[str, ...], value: str | None) -> tuple[tuple[str, ...], str | None]:
    """An option's optional value: what follows it and isn't like a DSN is the first of the paths."""
    if value and "=" not in value and "://" not in value:
        return (value, *paths), _HERE
    return paths, value


def _deployed(schema: Path | None, database: str | None) -> str:
    """SQL of what is deployed, from a file, a database, or both."""
    texts = [_text(schema)] if schema else []
    if database is not None:
        url = database or os.environ.get("EC_DATABASE_URL")
        if not url:
            raise UsageError("--schema-from needs a DSN", because="EC_DATABASE_URL isn't set either")
        from expandcontract.commands.deployed import deployed_schema  # here, because only this needs a driver

        texts.append(deployed_schema(url, "--schema-from" if database else "EC_DATABASE_URL"))
    return "\n".join(texts)


def _sources(paths: tuple[str, ...]) -> list[command.Source]:
    files = [Path(path) for path in paths if path != _STDIN]
    sources = [command.Source(str(file), _text(file)) for file in command.sql_files(files)]
    if _STDIN in paths:
        sources.append(command.Source("<stdin>", sys.stdin.read()))
    return sources


def _prove(
    scratch: str,
    paths: tuple[str, ...],
    options: ProjectOptions,
    settings: Settings,
    deployed: str,
    *,
    as_json: bool,
) -> ExitCode:
    # here, because only this option needs a driver
    from expandcontract.cli.signals import interrupted_by_sigterm
    from expandcontract.commands import prove_lint

    if paths:
        steps = prove_lint.steps_of_texts((source.path, source.text) for source in _sources(paths))
    else:
        _, revisions = _rendered(options)
        steps = prove_lint.steps_of_tree(revisions)
    with interrupted_by_sigterm():
        wanted = int(settings.server_version.partition(".")[0])
        proofs = prove_lint.prove(list(steps), scratch or None, wanted=wanted, deployed=deployed)
    _print(prove_lint.as_json(proofs) if as_json else prove_lint.as_text(proofs))
    return ExitCode.FINDINGS if any(proof.differences for proof in proofs) else ExitCode.DONE


def _settings(options: ProjectOptions, server_version: str | None, time_zone: str | None) -> Settings:
    settings = command.load_settings(options.pyproject())
    if server_version:
        asked = read_settings({"server_version": server_version})
        settings = settings.with_(server_version=asked.server_version)
    return settings.with_(time_zone=time_zone) if time_zone else settings


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


def _changed_texts(sources: list[command.Source], since: str | None) -> dict[str, str] | None:
    """The files that differ from the reference, each with its text there."""
    if since is None:
        return None
    changed = command.changed_since(since, Path.cwd())
    return {
        source.path: command.text_at(since, Path(source.path))
        for source in sources
        if Path(source.path).resolve() in changed
    }


def _tree(
    options: ProjectOptions,
    settings: Settings,
    since: str | None,
    since_revision: str | None,
    known: baseline.Baseline | None,
    deployed: str,
) -> Report:
    project, revisions = _rendered(options)
    from alembic.util import CommandError  # here, because a run over SQL files must not pay for importing Alembic

    from expandcontract.alembic_bridge.models import mapped_columns
    from expandcontract.alembic_bridge.rendering import revisions_after
    from expandcontract.commands.lint_tree import lint_tree

    try:
        reported = revisions_after(project.script, since_revision) if since_revision else None
    except CommandError as error:
        raise UsageError(str(error), next_command="ec status") from error
    if since:
        changed = command.changed_since(since, Path.cwd())
        reported = changed if reported is None else reported & changed
    return lint_tree(
        revisions,
        settings,
        today=date.today(),
        models=lambda: mapped_columns(project),
        reported=reported,
        known=known,
        schema=deployed,
    )


def _rendered(options: ProjectOptions) -> tuple[Project, list[RenderedRevision]]:
    # here for the same reason
    from expandcontract.alembic_bridge.project import open_project, revision_errors
    from expandcontract.alembic_bridge.rendering import render_tree

    project = open_project(options)
    with revision_errors(project):
        return project, list(render_tree(project.script))
