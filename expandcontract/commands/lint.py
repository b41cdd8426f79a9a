"""``ec lint``: what is wrong with SQL files, or with text."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from expandcontract.domain.phase import Phase
from expandcontract.errors import ConfigurationError, UsageError
from expandcontract.lint import baseline
from expandcontract.lint.finding import Finding
from expandcontract.lint.judge import Assumptions
from expandcontract.lint.linter import lint
from expandcontract.lint.reading.text import read
from expandcontract.lint.report import Report
from expandcontract.lint.schema import Schema
from expandcontract.lint.settings import Settings, read_settings
from expandcontract.lint.value import Value


class Source(Value):
    """A text to lint, and the path it is reported under."""

    path: str
    text: str


def load_settings(pyproject: Path) -> Settings:
    """
    Give the settings of the project's pyproject.toml, or where it has none of the nearest one above; or the defaults.

    Raises:
        ConfigurationError: the file can't be read, or a value can't be used.

    """
    above = pyproject.resolve().parent
    for file in (pyproject, *(directory / "pyproject.toml" for directory in (above, *above.parents))):
        if file.is_file():
            import tomllib  # here, because only a file needs it

            try:
                document: Any = tomllib.loads(file.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
                raise ConfigurationError(f"{file} can't be read", because=str(error)) from None
            return read_settings(document.get("tool", {}).get("expandcontract", {}).get("lint", {}))
    return Settings()


def sql_files(paths: Iterable[Path]) -> list[Path]:
    """
    Give the SQL files that the paths name, a directory standing for the ones in it, in the order of names.

    Raises:
        UsageError: a path doesn't exist.

    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(path.rglob("*.sql"))
        elif path.is_file():
            found.append(path)
        else:
            raise UsageError(f"{path}: there is no such file or directory")
    return found


def changed_since(reference: str, directory: Path) -> set[Path]:
    """
    Give the files that differ from a git reference, new and untracked ones included; before the first commit, all.

    Raises:
        UsageError: git can't compare with the reference.

    """
    import subprocess  # here, because most runs need no git

    try:
        has_commits = bool(_git(directory, "rev-list", "--all", "--max-count=1"))
        tracked = ("diff", "--name-only", "--diff-filter=d", "--relative", reference, "--")
        names = _git(directory, *(tracked if has_commits else ("ls-files",))).splitlines()
        names += _git(directory, "ls-files", "--others", "--exclude-standard").splitlines()
    except (OSError, subprocess.CalledProcessError) as error:
        detail = getattr(error, "stderr", "") or str(error)
        raise UsageError(f"git can't compare with {reference!r}", because=detail.strip()) from error
    return {(directory / name).resolve() for name in names}


def text_at(reference: str, file: Path) -> str:
    """Give a file's text at a git reference; empty where it wasn't there or wasn't text."""
    import subprocess

    try:
        return _git(file.resolve().parent, "show", f"{reference}:./{file.name}")
    except (OSError, UnicodeDecodeError, subprocess.CalledProcessError):
        return ""


def _git(directory: Path, *arguments: str) -> str:
    import subprocess  # here, because most runs need no git

    return subprocess.run(  # noqa: S603 - the reference is the user's own
        ["git", "-C", str(directory), *arguments],  # noqa: S607 - whichever git the user uses
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    ).stdout


def lint_texts(
    sources: Sequence[Source],
    settings: Settings,
    *,
    today: date,
    schema: str = "",
    in_transaction: bool = True,
    phase: Phase | None = None,
    before: Mapping[str, str] | None = None,
    known: baseline.Baseline | None = None,
) -> Report:
    """
    Lint texts in order; each is judged on the schema that the ones before it leave behind.

    Args:
        sources: the texts.
        settings: what to assume, and how grave to take it.
        today: decides which accepts have expired.
        schema: SQL of what was deployed before the first text.
        in_transaction: whether the runner wraps each text in a transaction.
        phase: the phase that all of them belong to.
        before: what to compare with: the earlier text of each path that has changed. What was found in it is old, and
            the other paths only tell the schema. None means that everything is reported.
        known: the findings that a baseline knows.

    """
    assumed = assumptions(settings, in_transaction=in_transaction, phase=phase)
    deployed = Schema.from_sql(schema)
    findings: list[Finding] = []
    statements = 0
    for source in sources:
        if before is not None and source.path not in before:
            deployed.learn(read(source.text))
            continue
        old: tuple[Finding, ...] = ()
        if before and before[source.path]:
            earlier = copy.deepcopy(deployed)
            old = lint(
                before[source.path], earlier, assumed, settings.severities, path=source.path, today=today
            ).findings
        linted = lint(source.text, deployed, assumed, settings.severities, path=source.path, today=today)
        findings += baseline.new(linted.findings, baseline.knowing(old)) if old else linted.findings
        statements += linted.statements
    return report_on(findings, statements, len(sources), settings, known)


def assumptions(settings: Settings, *, in_transaction: bool, phase: Phase | None) -> Assumptions:
    """Give what the settings assume of the server, and what is known of the text."""
    major, _, minor = settings.server_version.partition(".")
    return Assumptions(
        version=int(major),
        minor=int(minor) if minor else None,
        time_zone=settings.time_zone,
        in_transaction=in_transaction,
        phase=phase,
    )


def report_on(
    findings: list[Finding],
    statements: int,
    sources: int,
    settings: Settings,
    known: baseline.Baseline | None,
) -> Report:
    """Give the report on what was found, without what the baseline knows."""
    left = baseline.new(findings, known) if known else findings
    return Report(tuple(left), statements, sources, settings.server_version, settings.time_zone)
