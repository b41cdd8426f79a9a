"""
Console transcripts in Markdown, run for real and compared with what the page shows.

A page is one story: its blocks run in their order, in one shell, in a folder that holds a copy of the example project.

- A fenced ``console`` block holds commands after ``$ `` (a line goes on after a backslash) and what they print.
- ``<!-- not run: reason -->`` on the line before a block leaves it out.
- ``<!-- file: path -->`` before a block of any language writes its text into the page's folder.
- ``<!-- setup … -->`` holds commands that run and aren't shown; each must succeed.
- ``<!-- fresh -->`` begins a new story: another folder, another database.

What differs from run to run (times, durations, process ids, hosts) is made equal on both sides before the comparison.
``python -m tests.docs.transcripts`` writes what the commands print into the pages, where it differs.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

ROOT = Path(__file__).parents[2]
LONGEST_COMMAND = 90.0  # seconds

_FENCE = re.compile(r"```(?P<language>\w*)\s*$")
_NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.+) -->\s*$")
_FILE = re.compile(r"<!-- file: (?P<path>\S+) -->\s*$")

Kind = Literal["console", "setup", "file", "fresh"]


@dataclass
class Command:
    """One command with the output that the page shows; `line` is where its output begins, from 0."""

    text: str
    line: int
    shown: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Block:
    """A piece of a story; `line` is where it begins in the page, from 1."""

    kind: Kind
    line: int
    commands: tuple[Command, ...] = ()
    path: str = ""
    text: str = ""


class Malformed(Exception):
    """A page that can't be read as a story."""


def pages() -> list[Path]:
    """Every page of the documentation, the README first."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str) -> list[Block]:
    """
    The story of a page.

    Raises:
        Malformed: a block without end, or output before the first command.
    """
    lines = text.splitlines()
    found: list[Block] = []
    directive, number = "", 0
    while number < len(lines):
        line = lines[number]
        if line.startswith("<!-- setup"):
            end = _end_of(lines, number, lambda one: one.strip() == "-->")
            found.append(Block("setup", number + 1, commands=_commands(lines, number + 1, end)))
            number = end
        elif line.startswith("<!-- fresh -->"):
            found.append(Block("fresh", number + 1))
        elif fence := _FENCE.match(line):
            end = _end_of(lines, number, lambda one: one.rstrip() == "```")
            if file := _FILE.match(directive):
                text_of_file = "\n".join(lines[number + 1 : end]) + "\n"
                found.append(Block("file", number + 1, path=file["path"], text=text_of_file))
            elif fence["language"] == "console" and not _NOT_RUN.match(directive):
                found.append(Block("console", number + 1, commands=_commands(lines, number + 1, end)))
            number = end
        directive = lines[number]
        number += 1
    return found


def _end_of(lines: Sequence[str], start: int, is_end: Callable[[str], bool]) -> int:
    for number in range(start + 1, len(lines)):
        if is_end(lines[number]):
            return number
    raise Malformed(f"the block of line {start + 1} has no end")


def _commands(lines: Sequence[str], start: int, end: int) -> tuple[Command, ...]:
    commands: list[Command] = []
    goes_on = False
    for number in range(start, end):
        line = lines[number]
        if goes_on:
            commands[-1].text += f"\n{line}"
        elif line.startswith("$ "):
            commands.append(Command(line[2:], number + 1))
        elif commands:
            commands[-1].shown.append(line)
            continue
        else:
            raise Malformed(f"line {number + 1} is output before the first command")
        goes_on = line.endswith("\\")
        commands[-1].line = number + 1
    return tuple(commands)


_ALIKE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z|\+\d\d(:?\d\d)?)", "<time>"),
        (r"(host=\S+ port=\d+ dbname=\S+ user=\S+|host=\S+ dbname=\S+ user=\S+)(?=[\s\",])", "<address>"),
        (r"^Create Date: .*", "Create Date: <time>"),
        (r"ec:[\w.-]+:\d+", "ec:<host>:<pid>"),
        (r"\b(pid |backend |pg_terminate_backend\()\d+", r"\1<pid>"),
        (r"connected for \w+", "connected for <age>"),
        (r"from (a local socket|127\.0\.0\.1|::1)\b", "from <client>"),
        (r"\b\d+(\.\d+)? s\b", "<seconds> s"),
        (r"\b[\d,]+ rows/s", "<rate> rows/s"),
        (r"of about [\d,]+ rows", "of about <rows> rows"),
        (r"\b[0-9a-f]{12}_", "<id>_"),
        (r"database \d+ of system \d+", "database <oid> of system <id>"),
        (r"in \d+ attempts", "in <number> attempts"),
        (r"\[\d+ of about <rows> rows\]", "[<n> of about <rows> rows]"),
        (r"interrupted after \d+ rows", "interrupted after <rows> rows"),
        (r'"(pid|rows|of_about|seconds|seconds_left|id)": [\d.]+', r'"\1": <number>'),
        (r'"(host|person|role|tree)": ("[^"]*"|null)', r'"\1": <who>'),
        (r"\b(role|TO) \w+(?=[ ,)]|$)", r"\1 <role>"),
        (r"heap \+[\d.]+ MB, indexes \+[\d.]+ MB", "heap +<n> MB, indexes +<n> MB"),
        (r"^backfill \w+( \(pass \d+\))?: (verified )?[\d,]+ of about .*$", "<progress>"),
        (r"^<progress>\n(?=<progress>)", ""),
        (r"^(?P<what>.*) got no lock within .*next attempt in .*(\n(?=(?P=what) got no lock)|$)", "<blocked>"),
        (r"(<blocked>)+", "<blocked>"),
        (r"[ \t]+$", ""),
    )
)


def normalised(lines: Sequence[str]) -> list[str]:
    """The lines without what differs from run to run."""
    text = "\n".join(lines).strip("\n")
    for pattern, replacement in _ALIKE:
        text = pattern.sub(replacement, text)
    return text.split("\n") if text else []


class Shell:
    """One bash that runs a story's commands, with `ec` on its path and nothing of the developer's settings."""

    def __init__(self, folder: Path, database_url: str, programs: Sequence[Path]) -> None:
        path = os.pathsep.join([str(Path(sys.executable).parent), *map(str, programs), os.environ.get("PATH", "")])
        self._folder = folder
        self._process = subprocess.Popen(
            ["/bin/bash", "--noprofile", "--norc"],
            cwd=folder,
            env={
                "PATH": path,
                "HOME": str(folder),
                "LC_ALL": "C.UTF-8",
                "PAGER": "cat",
                "PSQLRC": os.devnull,
                "PGTZ": "UTC",
                "PYTHONPATH": str(ROOT),
                "EC_DATABASE_URL": database_url,
                "EC_PERSON": "ann",
                "EC_TREE": "5f2c91d0a7be",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its own session, so only what it started
        self._process.communicate()

    def run(self, command: str) -> tuple[int, list[str]]:
        """
        The exit code and what the command printed, stdout and stderr as they came.

        Raises:
            TimeoutError: it ran too long.
        """
        assert self._process.stdin
        mark = f"--{os.urandom(8).hex()}--"
        script = (
            f"{{ {command}\n}} </dev/null\n__status=$?; printf '\\n%s %s\\n' '{mark}' $__status; (exit $__status)\n"
        )
        self._process.stdin.write(script.encode())
        self._process.stdin.flush()
        printed, status = self._read_until(mark, command)
        host = re.escape(socket.gethostname())
        text = re.sub(rf"(?<![\w.-]){host}(?![\w.-])", "build-7", printed.replace(f"{self._folder}/", ""))
        return status, [line.rstrip() for line in text.rstrip("\n").split("\n")] if text.strip() else []

    def _read_until(self, mark: str, command: str) -> tuple[str, int]:
        assert self._process.stdout
        deadline, data = time.monotonic() + LONGEST_COMMAND, b""
        end = re.compile(rb"\n?" + mark.encode() + rb" (\d+)\n")
        while not (found := end.search(data)):
            ready, _, _ = select.select([self._process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"{command!r} ran for more than {LONGEST_COMMAND:g} s; it printed {data.decode()!r}")
            chunk = os.read(self._process.stdout.fileno(), 65536)
            if not chunk:
                raise EOFError(f"the shell ended in {command!r}; it printed {data.decode()!r}")
            data += chunk
        return data[: found.start()].decode(errors="replace"), int(found[1])


@dataclass(frozen=True)
class Difference:
    """A command that printed something else than the page shows."""

    page: Path
    command: Command
    shown: list[str]
    printed: list[str]

    def __str__(self) -> str:
        shown, printed = "\n".join(self.shown), "\n".join(self.printed)
        where = f"{self.page.relative_to(ROOT)}:{self.command.line}"
        return f"{where}: $ {self.command.text}\n--- the page shows\n{shown}\n--- it prints\n{printed}"


NewDatabase = Callable[[], AbstractContextManager[str]]


def play(page: Path, new_database: NewDatabase, programs: Sequence[Path]) -> Iterator[tuple[Command, list[str]]]:
    """
    Run a page's story; gives each shown command with what it printed.

    Args:
        page: the page.
        new_database: makes an empty database and gives its URL.
        programs: folders with further programs (psql).
    """
    remaining = blocks(page.read_text(encoding="utf-8"))
    while remaining:
        ends = next((number for number, block in enumerate(remaining) if block.kind == "fresh"), len(remaining))
        story, remaining = remaining[:ends], remaining[ends + 1 :]
        if any(block.commands for block in story):
            with new_database() as url, _folder() as folder, Shell(folder, url, programs) as shell:
                for block in story:
                    yield from _play_block(page, block, folder, shell)


def _play_block(page: Path, block: Block, folder: Path, shell: Shell) -> Iterator[tuple[Command, list[str]]]:
    if block.kind == "file":
        target = folder / block.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text, encoding="utf-8")
    for command in block.commands:
        status, printed = shell.run(command.text)
        if block.kind == "console":
            yield command, printed
        elif status:
            raise AssertionError(f"{page}:{command.line}: setup failed: $ {command.text}\n" + "\n".join(printed))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder with a copy of the example project, as a clone of the repository has it."""
    folder = Path(tempfile.mkdtemp(prefix="ec-docs-"))
    try:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "migrations_example", folder / "migrations_example", ignore=ignored)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def differences(page: Path, new_database: NewDatabase, programs: Sequence[Path]) -> list[Difference]:
    """What a page shows and what isn't so."""
    return [
        Difference(page, command, normalised(command.shown), normalised(printed))
        for command, printed in play(page, new_database, programs)
        if normalised(command.shown) != normalised(printed)
    ]


def rewritten(page: Path, new_database: NewDatabase, programs: Sequence[Path]) -> str:
    """The page's text with what its commands print now; what is equal but for times stays as it stands."""
    lines = page.read_text(encoding="utf-8").splitlines()
    changes: list[tuple[int, int, list[str]]] = []
    for command, printed in play(page, new_database, programs):
        if normalised(command.shown) != normalised(printed):
            blank_after = command.shown[-1:] == [""]
            changes.append(
                (command.line, command.line + len(command.shown), printed + ([""] if blank_after and printed else []))
            )
    for begin, end, printed in reversed(changes):
        lines[begin:end] = [_placid(line) for line in printed]
    return "\n".join(lines) + "\n"


def _placid(line: str) -> str:
    """The test server's address and role as a reader's would be."""
    line = re.sub(r"host=\S+ port=\d+ dbname=\S+ user=\w+", "host=localhost port=5432 dbname=shop user=shop", line)
    return re.sub(r"\b(role|GRANT pg_monitor TO) \w+(?=[ ,)]|$)", r"\1 shop", line)


def main(names: Sequence[str]) -> None:
    """Rewrite the pages named, or all of them."""
    from tests.fixtures.servers import fresh_database, local_installations, main_source

    chosen = [Path(name).resolve() for name in names] or pages()
    source = main_source()
    if source is None:
        sys.exit("there is no PostgreSQL to run the transcripts on")
    programs = [installation.bin_dir for installation in local_installations()[:1]]
    with source.serve() as server:

        @contextmanager
        def new_database() -> Iterator[str]:
            with fresh_database(server) as database:
                yield database.dsn

        for page in chosen:
            before, after = page.read_text(encoding="utf-8"), rewritten(page, new_database, programs)
            if before != after:
                page.write_text(after, encoding="utf-8")
                print(f"rewrote {page}")


if __name__ == "__main__":
    main(sys.argv[1:])
