"""The command: files, standard input, git, exit codes, and what it must not import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from expandcontract.cli.lint import lint
from expandcontract.errors import UsageError
from expandcontract.lint.report import FORMATS


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, stdin: str = "") -> Result:
    result = CliRunner().invoke(lint, arguments, input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_an_error_exits_with_1_and_exit_zero_does_not(elsewhere: Path) -> None:
    (elsewhere / "a.sql").write_text("DROP TABLE a;")

    assert run("a.sql").exit_code == 1
    assert run("a.sql", "--exit-zero").exit_code == 0


def test_clean_sql_exits_with_0_and_says_how_much_was_read() -> None:
    result = run("-", stdin="SELECT 1; SELECT 2")

    assert result.exit_code == 0
    assert result.stdout == "nothing found; 2 statements in 1 source read; assumed: PostgreSQL 16, time zone unknown\n"


def test_files_are_read_in_order_as_one_history(elsewhere: Path) -> None:
    (elsewhere / "1.sql").write_text("CREATE TABLE a (b varchar(40));")
    (elsewhere / "2.sql").write_text("ALTER TABLE a ALTER COLUMN b TYPE text;")
    (elsewhere / "3.sql").write_text("ALTER TABLE a ADD COLUMN c int NOT NULL;")

    document = json.loads(run(".", "--json").stdout)

    errors = [(each["path"], each["rule"]) for each in document["findings"] if each["severity"] == "error"]
    assert errors == [("3.sql", "add-column-not-null-no-default")]


def test_a_missing_path_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"nowhere\.sql"):
        run("nowhere.sql")


def test_explain_tells_about_a_rule_and_refuses_an_unknown_one() -> None:
    assert "ACCESS EXCLUSIVE on users" in run("--explain", "set-not-null-scan").stdout
    with pytest.raises(UsageError, match="no-such-rule"):
        run("--explain", "no-such-rule")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders(name: str) -> None:
    assert "drop-table" in run("-", "--format", name, stdin="DROP TABLE a").stdout


def test_since_reports_only_about_files_that_changed(elsewhere: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments], check=True, capture_output=True
        )

    (elsewhere / "1.sql").write_text("CREATE TABLE a (b varchar(40)); DROP TABLE z;")
    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    (elsewhere / "2.sql").write_text("ALTER TABLE a ALTER COLUMN b TYPE text; DROP TABLE y;")

    document = json.loads(run(".", "--since", "HEAD", "--json").stdout)

    errors = [(each["path"], each["rule"]) for each in document["findings"] if each["severity"] == "error"]
    assert ("2.sql", "drop-table") in errors
    assert "1.sql" not in {path for path, _ in errors}
    assert "change-type-rewrite" not in {rule for _, rule in errors}


def test_since_an_unknown_reference_is_a_usage_error(elsewhere: Path) -> None:
    (elsewhere / "1.sql").write_text("SELECT 1")
    with pytest.raises(UsageError, match="no-such-branch"):
        run("1.sql", "--since", "no-such-branch")


def test_a_baseline_is_written_and_then_silences(elsewhere: Path) -> None:
    (elsewhere / "a.sql").write_text("DROP TABLE a;")
    assert run("a.sql", "--write-baseline", "known.json").exit_code == 0
    (elsewhere / "pyproject.toml").write_text('[tool.expandcontract.lint]\nbaseline = "known.json"\n')

    assert run("a.sql").exit_code == 0
    (elsewhere / "a.sql").write_text("DROP TABLE a; DROP TABLE b;")
    assert run("a.sql").exit_code == 1


def test_linting_sql_imports_neither_sqlalchemy_nor_alembic() -> None:
    program = (
        "import sys; sys.argv = ['ec', '-', '--exit-zero']\nfrom expandcontract.cli.lint import lint\n"
        "try: lint()\nexcept SystemExit: pass\n"
        "print(sorted({'sqlalchemy', 'alembic', 'psycopg', 'google', 'postgast'} & set(sys.modules)))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], input="DROP TABLE a", capture_output=True, text=True, check=True
    )

    assert answer.stdout.splitlines()[-1] == "[]"
