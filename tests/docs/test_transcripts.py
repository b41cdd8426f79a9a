"""Every console transcript of the documentation is what the commands print."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.docs.transcripts import ROOT, Malformed, blocks, differences, normalised, pages, rewritten
from tests.fixtures.servers import Server, fresh_database, local_installations

TOLD = [page for page in pages() if any(block.commands for block in blocks(page.read_text(encoding="utf-8")))]


def programs() -> list[Path]:
    """Where psql is; the embedded server brings one."""
    return [] if shutil.which("psql") else [installation.bin_dir for installation in local_installations()[:1]]


@pytest.mark.parametrize("page", TOLD, ids=[str(page.relative_to(ROOT)) for page in TOLD])
def test_a_page_shows_what_its_commands_print(page: Path, server: Server) -> None:
    @contextmanager
    def new_database() -> Iterator[str]:
        with fresh_database(server) as database:
            yield database.dsn

    found = differences(page, new_database, programs())

    assert not found, "\n\n".join(map(str, found)) + "\n\npython -m tests.docs.transcripts PAGE writes it anew"


def test_the_pages_that_must_have_transcripts_have_them() -> None:
    told = {str(page.relative_to(ROOT)) for page in TOLD}

    assert {"README.md", "docs/tutorial.md", "docs/reference/json.md"} <= told
    how_to = {f"docs/how-to/{page.name}" for page in (ROOT / "docs" / "how-to").glob("*.md")}
    # failovers, the lint, the probes, the pytest plug-in, Flask and the demo have tests of their own
    of_their_own = {"after-a-failover", "lint", "report-readiness", "test-your-migrations", "use-with-flask"}
    of_their_own |= {"watch-the-demo"}
    assert how_to - told == {f"docs/how-to/{page}.md" for page in of_their_own}


def test_what_is_not_run_says_why() -> None:
    fences = re.compile(r"^(?P<before>.*)\n```console$", re.MULTILINE)
    for page in pages():
        text = page.read_text(encoding="utf-8")
        run = {block.line for block in blocks(text) if block.kind == "console"}
        for fence in fences.finditer(text):
            line = text.count("\n", 0, fence.end()) + 1
            assert line in run or re.match(r"<!-- not run: .{5,} -->$", fence["before"]), f"{page}:{line}"


def test_the_tutorials_server_starts_and_stops(installation: object, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- server -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found
    (tmp_path / "start_server.py").write_text(found[1], encoding="utf-8")

    output = subprocess.run(
        [sys.executable, "start_server.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout
    said = dict(line.removeprefix("export ").split("=", 1) for line in output.splitlines())
    try:
        with psycopg.connect(said["EC_DATABASE_URL"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert (Path(said["PATH"].rpartition(":")[2]) / "psql").exists()
    finally:
        subprocess.run(["/bin/sh", "-c", said["stop_server"].strip("'")], check=True, timeout=60)


PAGE = """# a page

<!-- setup
$ echo hidden > file
-->
```console
$ cat file
hidden
$ printf 'one\\n\\ntwo\\n'; exit_with() { return "$1"; }
one

two
$ exit_with 3
$ echo $?
3
```

<!-- file: notes.txt -->
```text
a note
```

```console
$ cat \\
    notes.txt
a note
```

<!-- not run: it would wait for ever -->
```console
$ sleep infinity
```

<!-- fresh -->
```console
$ ls
migrations_example
```
"""


@contextmanager
def no_database() -> Iterator[str]:
    yield "postgresql://nowhere"


def write(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_a_story_runs_in_one_shell_block_after_block(tmp_path: Path) -> None:
    assert differences(write(tmp_path, PAGE), no_database, []) == []


def test_another_output_is_noticed(tmp_path: Path) -> None:
    page = write(tmp_path, PAGE.replace("a note\n```\n\n<!-- not", "another note\n```\n\n<!-- not"))

    assert [found.printed for found in differences(page, no_database, [])] == [["a note"]]


def test_a_missing_output_is_noticed(tmp_path: Path) -> None:
    page = write(tmp_path, "```console\n$ echo one\n```\n")

    assert [found.printed for found in differences(page, no_database, [])] == [["one"]]


def test_a_setup_that_fails_is_noticed(tmp_path: Path) -> None:
    page = write(tmp_path, "<!-- setup\n$ false\n-->\n```console\n$ true\n```\n")

    with pytest.raises(AssertionError, match="setup failed"):
        differences(page, no_database, [])


def test_rewriting_puts_in_what_is_printed_and_keeps_the_rest(tmp_path: Path) -> None:
    page = write(tmp_path, "```console\n$ echo one\nold\nlines\n\n$ echo 'it took 5 s'\nit took 7 s\n```\nend\n")

    assert rewritten(page, no_database, []) == (
        "```console\n$ echo one\none\n\n$ echo 'it took 5 s'\nit took 7 s\n```\nend\n"
    )


@pytest.mark.parametrize("text", ["```console\n$ true\n", "```console\noutput\n```\n", "<!-- setup\n$ true\n"])
def test_a_block_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(Malformed):
        blocks(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at 2026-11-21 09:12:01 UTC: ec", "at 2027-01-02 23:59:59 UTC: ec"),
        ('"until": "2026-11-21T09:12:01.123456+00:00"', '"until": "2026-11-22T09:12:01+00:00"'),
        ("upgrade done in 0.03 s", "upgrade done in 1.20 s"),
        ("blocked by pid 17 (role app,", "blocked by pid 4711 (role shop,"),
    ],
)
def test_what_differs_from_run_to_run_is_alike(one: str, other: str) -> None:
    assert normalised([one]) == normalised([other])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the window is 14d", "the window is 13d"),
        ("done: backfill 0002: 500 of 501 rows written", "done: backfill 0002: 499 of 501 rows written"),
        ("refused: contract 0002", "refused: expand 0002"),
        ('"code": "window-open"', '"code": "live-lacks"'),
        ('"until": null', '"until": "2026-11-21T09:12:01+00:00"'),
        ("3", "4"),
    ],
)
def test_what_matters_is_not_alike(one: str, other: str) -> None:
    assert normalised([one]) != normalised([other])


def test_the_lines_of_a_progress_count_as_one() -> None:
    line = "backfill 0002: 1,000 of about 9,984 rows, 189,118 rows/s, about 0 s left"
    other = "backfill 0002: 20,001 of about 20,001 rows, 9,971 rows/s, about 0 s left"

    assert normalised([line, other, "done"]) == normalised([other, "done"])
    assert normalised([line, "done"]) != normalised(["done"])
