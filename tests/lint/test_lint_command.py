"""The command: files, standard input, git, exit codes, and what it must not import."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.cli.main import ec
from expandcontract.config import load_settings
from expandcontract.lint.report import FORMATS
from tests.fixtures.documents import assert_document


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, stdin: str = "", group: Sequence[str] = ()) -> Result:
    result = CliRunner().invoke(ec, [*group, "lint", *arguments], input=stdin)
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
    result = run("nowhere.sql")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error:   nowhere.sql: there is no such file or directory\n"


def test_explain_tells_about_a_rule_and_refuses_an_unknown_one() -> None:
    assert "ACCESS EXCLUSIVE on users" in run("--explain", "set-not-null-scan").stdout
    unknown = run("--explain", "no-such-rule")
    assert (unknown.exit_code, "no-such-rule" in unknown.stderr) == (2, True)


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


def test_since_reports_what_the_changes_of_a_file_brought_and_not_what_was_there(elsewhere: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    (elsewhere / "a.sql").write_text("DROP TABLE old;\nSELECT count(*) FROM big;\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *command], check=True, cwd=elsewhere)
    (elsewhere / "a.sql").write_text(
        "-- moved\n\nDROP TABLE old;\nALTER TABLE busy ADD COLUMN x int;\nSELECT  count(*) FROM big;\nDROP TABLE new;\n"
    )

    document = json.loads(run("a.sql", "--since", "HEAD", "--json").stdout)

    found = {(each["rule"], each["line"]) for each in document["findings"]}
    assert ("drop-table", 6) in found
    assert ("multiple-locks-in-transaction", 4) in found
    assert not any(line == 3 for _, line in found)


def test_before_the_first_commit_everything_is_new(elsewhere: Path) -> None:
    subprocess.run(["git", "init", "-q"], check=True, cwd=elsewhere)
    (elsewhere / "staged.sql").write_text("DROP TABLE a;")
    subprocess.run(["git", "add", "."], check=True, cwd=elsewhere)
    (elsewhere / "untracked.sql").write_text("DROP TABLE b;")

    document = json.loads(run(".", "--since", "HEAD", "--json").stdout)

    assert {"staged.sql", "untracked.sql"} == {each["path"] for each in document["findings"]}


def test_since_an_unknown_reference_is_a_usage_error(elsewhere: Path) -> None:
    (elsewhere / "1.sql").write_text("SELECT 1")
    result = run("1.sql", "--since", "no-such-branch")
    assert (result.exit_code, "no-such-branch" in result.stderr) == (2, True)


def test_a_baseline_is_written_and_then_silences(elsewhere: Path) -> None:
    (elsewhere / "a.sql").write_text("DROP TABLE a;")
    assert run("a.sql", "--write-baseline", "known.json").exit_code == 0
    (elsewhere / "pyproject.toml").write_text('[tool.expandcontract.lint]\nbaseline = "known.json"\n')

    assert run("a.sql").exit_code == 0
    (elsewhere / "a.sql").write_text("DROP TABLE a; DROP TABLE b;")
    assert run("a.sql").exit_code == 1


def test_linting_sql_imports_neither_sqlalchemy_nor_alembic() -> None:
    program = (
        "import sys\nfrom expandcontract.cli.main import ec\n"
        "try: ec.main(['lint', '-', '--exit-zero'], standalone_mode=False)\nexcept SystemExit: pass\n"
        "heavy = ('sqlalchemy', 'alembic', 'psycopg', 'google', 'postgast', 'expandcontract.lint.footprint')\n"
        "print(sorted(set(heavy) & set(sys.modules)))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], input="DROP TABLE a", capture_output=True, text=True, check=True
    )

    assert answer.stdout.splitlines()[-1] == "[]"


def test_only_the_rules_that_can_judge_a_text_are_loaded() -> None:
    program = (
        "import sys\nfrom expandcontract.lint import lint_sql\nlint_sql(sys.stdin.read())\n"
        "print(sorted(name.rpartition('.')[2] for name in sys.modules if '.lint.rules.' in name))"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], input="TRUNCATE a", capture_output=True, text=True, check=True
    )

    loaded = ast.literal_eval(answer.stdout)
    assert "truncate" in loaded
    assert not {"index_not_concurrent", "set_not_null_scan", "drop_column"} & set(loaded)


@pytest.mark.parametrize(("sql", "outcome"), [("DROP TABLE a", "findings"), ("SELECT 1", "done")])
@pytest.mark.parametrize("asked", [["--json"], ["--format", "json"]], ids=" ".join)
def test_the_document_fits_the_exit_code(sql: str, outcome: str, asked: list[str]) -> None:
    result = run("-", *asked, stdin=sql)

    document = json.loads(result.stdout)
    assert_document(document, result.exit_code)
    assert (document["command"], document["outcome"]) == ("lint", outcome)


def test_an_empty_folder_is_nothing_to_lint(elsewhere: Path) -> None:
    result = run(".", "--json")

    assert (result.exit_code, json.loads(result.stdout)["outcome"]) == (0, "nothing")


def test_an_error_is_a_document_as_well() -> None:
    result = run("nowhere.sql", "--json")

    assert_document(json.loads(result.stdout), result.exit_code)
    assert result.exit_code == 2


def test_without_a_project_it_says_what_to_do() -> None:
    result = run()

    assert result.exit_code == 2
    assert "there is no alembic.ini" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_fault_shows_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("expandcontract.commands.lint.lint_texts", broken)

    result = run("-", stdin="SELECT 1")

    assert result.exit_code == 70
    assert "a fault in ec itself: RuntimeError: out of order" in result.stderr
    assert "Traceback" not in result.stderr


def dropping_tree(tree: Path) -> None:
    """A project whose three revisions each drop a table in their upgrade()."""
    (tree / "migrations" / "versions").mkdir(parents=True)
    (tree / "migrations" / "env.py").write_text("")
    (tree / "alembic.ini").write_text(f"[alembic]\nscript_location = {tree}/migrations\n")
    for number, after in ((1, None), (2, "r1"), (3, "r2")):
        (tree / "migrations" / "versions" / f"{number}_drop.py").write_text(
            f'from alembic import op\nrevision, down_revision = "r{number}", {after!r}\n\n\n'
            f'def upgrade():\n    op.drop_table("t{number}")\n'
        )


def dropped(document: str) -> dict[str, str]:
    """The file of each dropped table, and how grave that is."""
    found = [each for each in json.loads(document)["findings"] if each["rule"] == "drop-table"]
    return {Path(each["path"]).name: each["severity"] for each in found}


def test_since_revision_reports_only_about_what_comes_after_it(elsewhere: Path) -> None:
    dropping_tree(elsewhere)

    assert set(dropped(run("--json").stdout)) == {"1_drop.py", "2_drop.py", "3_drop.py"}
    assert set(dropped(run("--since-revision", "r1", "--json").stdout)) == {"2_drop.py", "3_drop.py"}
    assert run("--since-revision", "r3").exit_code == 0
    unknown = run("--since-revision", "r9")
    assert (unknown.exit_code, "r9" in unknown.stderr) == (2, True)


def test_a_severity_holds_for_the_paths_of_its_pattern_wherever_lint_is_run(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = elsewhere / "db"
    dropping_tree(tree)
    (tree / "pyproject.toml").write_text(
        '[tool.expandcontract.lint.paths."versions/1_*"]\ndrop-table = "note"\n'
        '[tool.expandcontract.lint.paths."migrations/versions/2_drop.py"]\nD = "off"\n'
    )
    expected = {"1_drop.py": "note", "3_drop.py": "error"}

    assert dropped(run("--json", group=["-c", "db/alembic.ini"]).stdout) == expected
    monkeypatch.chdir(tree)
    assert dropped(run("--json").stdout) == expected


def test_the_groups_options_name_the_project_and_its_settings(elsewhere: Path) -> None:
    tree = elsewhere / "db"
    (tree / "migrations" / "versions").mkdir(parents=True)
    (tree / "migrations" / "env.py").write_text("")
    (tree / "alembic.ini").write_text(f"[app]\nscript_location = {tree}/migrations\n")
    (tree / "pyproject.toml").write_text(
        '[tool.expandcontract]\nrate = 5\n[tool.expandcontract.lint]\nserver_version = "15"\n'
    )
    (tree / "migrations" / "versions" / "one.py").write_text(
        'from alembic import op\nrevision, down_revision = "one", None\n\n\ndef upgrade():\n    op.drop_table("a")\n'
    )

    result = run("--json", group=["-c", "db/alembic.ini", "-n", "app"])

    document = json.loads(result.stdout)
    assert (result.exit_code, document["server_version"]) == (1, "15")
    assert [each["path"] for each in document["findings"]] == ["db/migrations/versions/one.py"] * len(
        document["findings"]
    )


def test_a_revision_that_cannot_be_imported_is_named(elsewhere: Path) -> None:
    (elsewhere / "versions").mkdir()
    (elsewhere / "env.py").write_text("")
    (elsewhere / "alembic.ini").write_text(f"[alembic]\nscript_location = {elsewhere}\n")
    (elsewhere / "versions" / "one.py").write_text('revision, down_revision = "one", None\nimport nowhere\n')

    result = run()

    assert result.exit_code == 2
    assert "one.py:2" in result.stderr


def test_the_settings_of_lint_disturb_no_other_command(elsewhere: Path) -> None:
    (elsewhere / "pyproject.toml").write_text('[tool.expandcontract.lint]\nserver_version = "15"\n')

    assert load_settings(ProjectOptions(), {}).rate == 10_000


def test_the_example_project_has_neither_errors_nor_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2] / "migrations_example")

    document = json.loads(run("--json").stdout)

    assert {each["severity"] for each in document["findings"]} <= {"note"}
    assert [each["rule"] for each in document["findings"] if "trigger" in each["rule"]] == []
