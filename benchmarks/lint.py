"""
`ec lint` beside squawk (pip install squawk-cli): whole-process times, and the score on the labelled corpus.

Both run in turns in one session, and the best of several runs counts. The ratio is what means something: the
times themselves depend on the machine and on what else it does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from tests.lint.lint_corpus import Score, rows, score  # noqa: E402

REPEATS = 5
# As installed: pip compiles modules, whatever the environment of this run says about writing bytecode.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
EC_LINT = [sys.executable, "-c", "from expandcontract.__main__ import main; main()", "lint"]
SQUAWK = shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk") or "squawk"
# What squawk's rules would be called here; a finding that fits a label in any of these ways fits.
IN_OUR_WORDS: dict[str, set[str]] = {
    "adding-field-with-default": {
        "add-column-default-rewrite",
        "add-column-volatile-default",
        "add-column-generated-stored",
        "add-column-identity",
        "add-column-serial",
    },
    "adding-foreign-key-constraint": {"add-fk-validated"},
    "adding-not-nullable-field": {"set-not-null-scan", "add-not-null-constraint-validated"},
    "adding-required-field": {"add-column-not-null-no-default"},
    "adding-serial-primary-key-field": {"primary-key-builds-index", "add-column-serial"},
    "ban-alter-domain-with-add-constraint": {"domain-constraint-scan"},
    "ban-alter-identity": {"add-column-identity"},
    "ban-char-field": {"avoid-char"},
    "ban-concurrent-index-creation-in-transaction": {"concurrently-in-transaction"},
    "ban-create-domain-with-constraint": {"domain-with-constraint"},
    "ban-drop-default": {"drop-default-of-required-column"},
    "ban-truncate-cascade": {"truncate", "drop-cascade"},
    "ban-uncommitted-transaction": {"uncommitted-transaction"},
    "changing-column-type": {
        "change-type-rewrite",
        "change-type-index-rebuild",
        "change-type-check-rescan",
        "change-type-used-by-view",
    },
    "constraint-missing-not-valid": {
        "add-check-validated",
        "add-fk-validated",
        "add-not-null-constraint-validated",
        "unique-constraint-builds-index",
        "primary-key-builds-index",
        "exclusion-constraint",
        "not-valid-and-validate-same-transaction",
    },
    "disallowed-unique-constraint": {"unique-constraint-builds-index"},
    "prefer-bigint-over-int": {"prefer-bigint"},
    "prefer-bigint-over-smallint": {"prefer-bigint"},
    "prefer-robust-stmts": {"not-idempotent"},
    "prefer-text-field": {"prefer-text"},
    "prefer-timestamp-tz": {"prefer-timestamptz"},
    "renaming-object": {"rename-type", "rename-sequence", "rename-function", "rename-view", "rename-schema"},
    "renaming-column": {"rename-column"},
    "renaming-table": {"rename-table"},
    "require-concurrent-index-creation": {"index-not-concurrent", "index-on-partitioned-parent"},
    "require-concurrent-index-deletion": {"drop-index-not-concurrent"},
    "require-concurrent-partition-detach": {"detach-partition-not-concurrent"},
    "require-concurrent-reindex": {"reindex-not-concurrent"},
    "require-enum-value-ordering": {"enum-value-ordering"},
    "require-lock-timeout": {"no-lock-timeout"},
    "require-statement-timeout": {"no-statement-timeout"},
    "require-timeout-settings": {"no-lock-timeout", "no-statement-timeout"},
    "transaction-nesting": {"nested-transaction", "commit-in-managed-transaction"},
}


def named_by_squawk(row: dict[str, Any]) -> set[str]:
    """Give what squawk says about a row, in our words, read in its favour."""
    command = [SQUAWK, "--reporter", "json", "--pg-version", f"{row['pg_version']}.0"]
    if row["in_transaction"]:
        command.append("--assume-in-transaction")
    answer = subprocess.run(command, input=row["sql"], capture_output=True, text=True, check=False)
    labelled = set(row["hazards"]) | set(row.get("tolerate", ()))
    found = set()
    for finding in json.loads(answer.stdout):
        rule = finding["rule_name"]
        ours = IN_OUR_WORDS.get(rule, {rule.removeprefix("ban-")})
        found |= (ours & labelled) or {min(ours)}
    return found


def seconds(command: Sequence[str], directory: Path) -> float:
    """Give the time of one run of a process, from start to end."""
    start = time.perf_counter()
    subprocess.run(
        command,
        cwd=directory,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - start


def compare(what: str, paths: Sequence[str], directory: Path) -> None:
    """Run both in turns and print the best time of each and their ratio."""
    ours = [*EC_LINT, "--format", "json", *paths]
    theirs = [SQUAWK, "--reporter", "json", *paths]
    times = [(seconds(ours, directory), seconds(theirs, directory)) for _ in range(REPEATS)]
    best_ours, best_theirs = (min(each) for each in zip(*times, strict=True))
    ratios = [ours / theirs for ours, theirs in times]
    print(
        f"{what:28} ec lint {best_ours * 1000:7.0f} ms   squawk {best_theirs * 1000:6.0f} ms   "
        f"ratio {best_ours / best_theirs:5.1f} (run by run {min(ratios):.1f} to {max(ratios):.1f})"
    )


def statement(number: int) -> str:
    """Give one of a mix of safe and dangerous statements."""
    return (
        f"ALTER TABLE t{number} ADD COLUMN c{number} text NOT NULL DEFAULT 'x';",
        f"CREATE INDEX i{number} ON t{number} (a, b);",
        f"ALTER TABLE t{number} ADD CONSTRAINT k{number} CHECK (a > {number}) NOT VALID;",
        f"ALTER TABLE t{number} ALTER COLUMN a TYPE bigint;",
    )[number % 4]


def write_tree(directory: Path, size: int) -> None:
    """Write an Alembic tree of so many revisions."""
    (directory / "versions").mkdir()
    (directory / "env.py").write_text("")
    (directory / "alembic.ini").write_text(f"[alembic]\nscript_location = {directory}\n")
    for number in range(size):
        before = f'"r{number - 1}"' if number else "None"
        (directory / "versions" / f"r{number}.py").write_text(
            f'"""revision {number}"""\nimport sqlalchemy as sa\nfrom alembic import op\n\n'
            f'revision, down_revision = "r{number}", {before}\n\n\ndef upgrade():\n'
            f'    op.add_column("t{number}", sa.Column("c", sa.Text))\n\n\n'
            f'def downgrade():\n    op.drop_column("t{number}", "c")\n'
        )


def times(directory: Path) -> None:
    """Print the comparison of times."""
    (directory / "one.sql").write_text(statement(0))
    (directory / "thousand.sql").write_text("\n".join(map(statement, range(1000))))
    (directory / "files").mkdir()
    for number in range(1000):
        (directory / "files" / f"{number:04}.sql").write_text(statement(number))
    compare("1 statement", ["one.sql"], directory)
    compare("1,000 statements, 1 file", ["thousand.sql"], directory)
    compare("1,000 files", [f"files/{number:04}.sql" for number in range(1000)], directory)
    (directory / "tree").mkdir()
    write_tree(directory / "tree", 500)
    best = min(seconds([*EC_LINT, "--format", "json"], directory / "tree") for _ in range(2))
    print(f"{'500 Alembic revisions':28} ec lint {best * 1000:7.0f} ms   squawk reads no revisions")


def scores() -> None:
    """Print the scores on the corpus."""
    corpus = list(rows("lint_corpus.jsonl"))
    without = [{**row, "prior_sql": ""} for row in corpus]
    runs: list[tuple[str, Callable[[], Score]]] = [
        ("ec lint", lambda: score(corpus)),
        ("ec lint, text alone", lambda: score(without)),
        ("squawk, text alone", lambda: score(without, named_by_squawk)),
    ]
    for name, measure in runs:
        result = measure()
        caught = result.unsafe - len(result.missed)
        print(
            f"{name:22} caught {caught} of {result.unsafe} ({result.caught_share:.0%}), "
            f"false alarms {len(result.false_alarms)} of {result.safe} ({result.false_alarm_share:.0%})"
        )


if __name__ == "__main__":
    print(subprocess.run([SQUAWK, "--version"], capture_output=True, text=True, check=True).stdout.strip())
    with tempfile.TemporaryDirectory() as scratch:
        ENVIRONMENT["PYTHONPYCACHEPREFIX"] = str(Path(scratch) / "bytecode")
        times(Path(scratch))
    scores()
