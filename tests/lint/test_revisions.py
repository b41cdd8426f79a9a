"""Revisions written with ``op.*``: what `ec lint` says about a tree, and where."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import alembic.op
import pytest

from expandcontract.alembic_bridge.project import open_project
from expandcontract.alembic_bridge.project_options import ProjectOptions
from expandcontract.alembic_bridge.rendering import render_tree
from expandcontract.commands.lint_tree import lint_tree
from expandcontract.lint import Finding, Severity
from expandcontract.lint.catalogue import all_rules
from expandcontract.lint.settings import Settings
from tests.lint.lint_corpus import HARD

FIRST = """
op.create_table("users", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("name", sa.String(40)),
    sa.Column("email", sa.Text), sa.Column("visits", sa.Integer), sa.Column("tier", sa.Text, nullable=False))
op.create_table("shops", sa.Column("id", sa.BigInteger, primary_key=True))
op.create_table("orders", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("user_id", sa.BigInteger),
    sa.Column("shop_id", sa.BigInteger), sa.Column("total", sa.Numeric(10, 2)))
op.create_index("orders_user", "orders", ["user_id"])
"""

DANGEROUS = {
    "add_column not null": (
        'op.add_column("users", sa.Column("a", sa.Text, nullable=False))',
        "add-column-not-null-no-default",
    ),
    "add_column volatile": (
        'op.add_column("users", sa.Column("a", sa.Uuid, server_default=sa.text("gen_random_uuid()")))',
        "add-column-volatile-default",
    ),
    "add_column identity": (
        'op.add_column("users", sa.Column("a", sa.BigInteger, sa.Identity()))',
        "add-column-identity",
    ),
    "add_column computed": (
        'op.add_column("users", sa.Column("a", sa.Text, sa.Computed("lower(name)", persisted=True)))',
        "add-column-generated-stored",
    ),
    "alter_column type": (
        'op.alter_column("users", "visits", type_=sa.BigInteger, existing_type=sa.Integer)',
        "change-type-rewrite",
    ),
    "alter_column narrower": (
        'op.alter_column("users", "name", type_=sa.String(20), existing_type=sa.String(40))',
        "change-type-rewrite",
    ),
    "alter_column not null": ('op.alter_column("users", "email", nullable=False)', "set-not-null-scan"),
    "alter_column nullable": ('op.alter_column("users", "tier", nullable=True)', "drop-not-null"),
    "alter_column name": ('op.alter_column("users", "name", new_column_name="full_name")', "rename-column"),
    "bulk_insert after ddl": (
        'op.add_column("shops", sa.Column("a", sa.Text))\nop.bulk_insert(sa.table("users", sa.column("id", sa.BigInteger)), [{"id": 1}])',
        "dml-with-ddl-in-transaction",
    ),
    "create_check_constraint": (
        'op.create_check_constraint("positive", "users", "visits > 0")',
        "add-check-validated",
    ),
    "create_exclude_constraint": (
        'op.create_exclude_constraint("one", "orders", ("total", "="), using="gist")',
        "exclusion-constraint",
    ),
    "create_foreign_key": (
        'op.create_foreign_key("fk", "orders", "users", ["user_id"], ["id"])',
        "add-fk-validated",
    ),
    "create_index": ('op.create_index("users_email", "users", ["email"])', "index-not-concurrent"),
    "create_primary_key": (
        'op.drop_constraint("shops_pkey", "shops")\nop.create_primary_key("pk", "shops", ["id"])',
        "primary-key-builds-index",
    ),
    "create_unique_constraint": (
        'op.create_unique_constraint("uq", "users", ["email"])',
        "unique-constraint-builds-index",
    ),
    "create_table two parents": (
        'op.create_table("carts", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("u", sa.BigInteger, sa.ForeignKey("users.id")), sa.Column("s", sa.BigInteger, sa.ForeignKey("shops.id")))',
        "multiple-fks-in-transaction",
    ),
    "drop_column": ('op.drop_column("users", "name")', "drop-column"),
    "drop_constraint": ('op.drop_constraint("orders_pkey", "orders")', "drop-constraint"),
    "drop_index": ('op.drop_index("orders_user", "orders")', "drop-index-not-concurrent"),
    "drop_table": ('op.drop_table("orders")', "drop-table"),
    "execute update": ("op.execute(\"UPDATE users SET tier = 'free'\")", "update-without-where"),
    "execute sa.update": (
        'op.execute(sa.update(sa.table("users", sa.column("tier"))).values(tier="free"))',
        "update-without-where",
    ),
    "execute commit": (
        'op.execute("COMMIT")\nop.execute("CREATE INDEX CONCURRENTLY users_email ON users (email)")',
        "commit-in-managed-transaction",
    ),
    "rename_table": ('op.rename_table("users", "people")', "rename-table"),
    "batch_alter_table": (
        'with op.batch_alter_table("users") as batch:\n    batch.drop_column("email")',
        "drop-column",
    ),
    "concurrently in a transaction": (
        'op.create_index("users_email", "users", ["email"], postgresql_concurrently=True)',
        "concurrently-in-transaction",
    ),
}
SAFE = {
    "add_column nullable": 'op.add_column("users", sa.Column("a", sa.Text))',
    "add_column default": 'op.add_column("users", sa.Column("a", sa.Text, nullable=False, server_default="x"))',
    "add_column foreign key": 'op.add_column("orders", sa.Column("a", sa.BigInteger, sa.ForeignKey("users.id"), nullable=True))',
    "add_column foreign key inline": 'op.add_column("orders", sa.Column("a", sa.BigInteger, sa.ForeignKey("users.id")), inline_references=True)',
    "alter_column wider": 'op.alter_column("users", "name", type_=sa.String(80), existing_type=sa.String(40))',
    "alter_column text": 'op.alter_column("users", "name", type_=sa.Text, existing_type=sa.String(40))',
    "alter_column default": 'op.alter_column("users", "email", server_default="")',
    "create_check not valid": 'op.create_check_constraint("positive", "users", "visits > 0", postgresql_not_valid=True)',
    "create_foreign_key not valid": 'op.create_foreign_key("fk", "orders", "users", ["user_id"], ["id"], postgresql_not_valid=True)',
    "create_index concurrently": 'with op.get_context().autocommit_block():\n    op.create_index("users_email", "users", ["email"], postgresql_concurrently=True)',
    "create_table": 'op.create_table("a", sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("u", sa.BigInteger, sa.ForeignKey("users.id")))\nop.create_index("a_u", "a", ["u"])\nop.bulk_insert(sa.table("a", sa.column("id", sa.BigInteger)), [{"id": 1}])',
    "create_table_comment": 'op.create_table_comment("users", "one row each")',
    "bulk_insert without types": 'op.bulk_insert(sa.table("shops", sa.column("id"), sa.column("tags")), [{"id": 1, "tags": ["a"]}])',
    "drop_table_comment": 'op.drop_table_comment("users")',
    "execute sa.update of a few rows": 'shops = sa.table("shops", sa.column("id"))\nop.execute(shops.update().where(shops.c.id == 5).values(id=6))',
    "execute validate": 'op.execute("ALTER TABLE users VALIDATE CONSTRAINT positive")',
    "unknown table, known type": 'op.alter_column("elsewhere", "code", type_=sa.String(9), existing_type=sa.String(5))',
}  # fmt: skip


def write_revision(tree: Path, name: str, before: str | None, body: str) -> Path:
    file = tree / "versions" / f"{name}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        f'"""{name}"""\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{name}"\n'
        f"down_revision = {before!r}\n\n\n{body}"
    )
    return file


def upgrade(body: str) -> str:
    return "def upgrade():\n" + "".join(f"    {line}\n" for line in body.strip().splitlines())


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "env.py").write_text("")
    (tmp_path / "alembic.ini").write_text(f"[alembic]\nscript_location = {tmp_path}\n")
    write_revision(tmp_path, "first", None, upgrade(FIRST))
    return tmp_path


def lint_second(tree: Path, body: str) -> list[Finding]:
    file = write_revision(tree, "second", "first", body)
    revisions = list(render_tree(open_project(ProjectOptions((str(tree / "alembic.ini"),))).script))
    report = lint_tree(revisions, Settings(), today=date(2026, 1, 1), reported={file.resolve()})
    return list(report.findings)


def hard(findings: list[Finding]) -> set[str]:
    return {
        finding.rule
        for finding in findings
        if all_rules()[finding.rule].hazard in HARD and finding.severity is Severity.ERROR
    }


@pytest.mark.parametrize("name", DANGEROUS)
def test_dangerous_revisions_are_caught(tree: Path, name: str) -> None:
    body, expected = DANGEROUS[name]

    assert expected in hard(lint_second(tree, upgrade(body)))


def test_every_directive_is_written_somewhere_above() -> None:
    written = " ".join([FIRST, *(body for body, _ in DANGEROUS.values()), *SAFE.values()])
    directives = {
        name
        for name in dir(alembic.op)
        if name.startswith(("add_", "alter_", "batch_", "bulk_", "create_", "drop_", "execute", "rename_"))
    } - {"create_module_class_proxy", "create_sync", "drop_sync"}  # the first is no directive, the others are ours

    assert {name for name in directives if f"op.{name}(" not in written} == set()


@pytest.mark.parametrize("name", SAFE)
def test_safe_revisions_are_left_alone(tree: Path, name: str) -> None:
    assert hard(lint_second(tree, upgrade(SAFE[name]))) == set()


def test_a_finding_points_at_the_line_of_the_revision(tree: Path) -> None:
    (finding,) = [
        each
        for each in lint_second(
            tree,
            upgrade('op.add_column("users", sa.Column("a", sa.Text))\nop.drop_column(\n    "users", "name"\n)'),
        )
        if each.rule == "drop-column"
    ]

    text = Path(finding.path or "").read_text().splitlines()
    assert "drop_column" in text[finding.line - 1]


def test_time_outs_are_the_runners_business(tree: Path) -> None:
    findings = lint_second(tree, upgrade('op.add_column("users", sa.Column("a", sa.Text))'))

    assert not {each.rule for each in findings} & {"no-lock-timeout", "no-statement-timeout"}


def test_a_drop_is_right_in_contract_and_wrong_in_expand(tree: Path) -> None:
    body = 'def upgrade():\n    pass\n\n\ndef contract():\n    op.drop_column("users", "name")\n'

    assert hard(lint_second(tree, body)) == set()


def test_the_enabling_step_is_no_finding(tree: Path) -> None:
    body = (
        'def upgrade():\n    op.alter_column("users", "tier", nullable=True)\n\n\n'
        'def contract():\n    op.drop_column("users", "tier")\n'
    )

    assert lint_second(tree, body) == []


def test_a_contract_without_its_enabling_step_is_an_error(tree: Path) -> None:
    body = 'def upgrade():\n    pass\n\n\ndef contract():\n    op.drop_column("users", "tier")\n'

    assert {each.rule for each in lint_second(tree, body)} == {"enabling-expand-missing"}


def test_a_sync_trigger_spares_the_enabling_step(tree: Path) -> None:
    body = (
        'def upgrade():\n    op.execute("CREATE TRIGGER s BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()")\n\n\n'
        'def contract():\n    op.execute("DROP TRIGGER s ON users")\n    op.drop_column("users", "tier")\n'
    )

    assert hard(lint_second(tree, body)) == set()
    assert "enabling-expand-missing" not in {each.rule for each in lint_second(tree, body)}


def test_a_backfill_function_may_not_change_the_schema(tree: Path) -> None:
    body = 'def upgrade():\n    pass\n\n\ndef backfill():\n    op.add_column("users", sa.Column("a", sa.Text))\n'

    assert "phase-contradiction" in {each.rule for each in lint_second(tree, body)}


def test_the_way_back_fails_no_build_unless_it_cannot_work(tree: Path) -> None:
    widening = 'op.alter_column("users", "name", type_=sa.String({0}), existing_type=sa.String({1}))'
    narrowing_back = (
        upgrade(widening.format(80, 40)) + "\n\n" + upgrade(widening.format(40, 80)).replace("upgrade", "downgrade")
    )
    impossible = "def upgrade():\n    pass\n\n\ndef downgrade():\n    op.execute('VACUUM users')\n"

    findings = lint_second(tree, narrowing_back)

    assert "change-type-rewrite" in {each.rule for each in findings}
    assert hard(findings) == set()
    assert hard(lint_second(tree, impossible)) == {"non-transactional-in-transaction"}


def test_paths_are_those_of_the_current_directory(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)

    assert {each.path for each in lint_second(tree, upgrade('op.drop_table("orders")'))} == {"versions/second.py"}


def test_parts_are_transactions_of_their_own(tree: Path) -> None:
    body = (
        'def require():\n    op.create_check_constraint("given", "users", "email IS NOT NULL", postgresql_not_valid=True)\n\n\n'
        'def validate():\n    op.execute("ALTER TABLE users VALIDATE CONSTRAINT given")\n\n\n'
        'def fix():\n    op.alter_column("users", "email", nullable=False)\n\n\nexpand = (require, validate, fix)\n'
    )

    assert hard(lint_second(tree, body)) == set()


def test_what_needs_a_connection_is_reported_not_hidden(tree: Path) -> None:
    body = upgrade(
        'op.drop_table("orders")\nop.get_bind().execute(sa.text("select 1")).scalar()\nop.drop_table("shops")'
    )

    findings = lint_second(tree, body)

    assert {"drop-table", "not-analysed"} <= {each.rule for each in findings}
    (stopped,) = [each for each in findings if each.rule == "not-analysed"]
    assert "get_bind" in Path(stopped.path or "").read_text().splitlines()[stopped.line - 1]


def test_what_may_differ_in_a_database_is_reported_and_looked_into_all_the_same(tree: Path) -> None:
    findings = lint_second(tree, upgrade('if op.get_context().as_sql: pass\nop.drop_table("orders")'))

    assert "drop-table" in {each.rule for each in findings}
    (unsure,) = [each for each in findings if each.rule == "not-analysed"]
    assert "may do something else in a database" in unsure.message


def test_an_accept_above_the_call_silences_it(tree: Path) -> None:
    accepted = (
        '# ec:accept drop-table: nobody has used it since the move\nop.drop_table("orders")\nop.drop_table("shops")'
    )

    found = [each for each in lint_second(tree, upgrade(accepted)) if each.rule in ("drop-table", "accept-unused")]

    assert [each.statement for each in found] == ["DROP TABLE shops"]


def test_an_accept_that_silences_nothing_is_reported(tree: Path) -> None:
    body = upgrade('# ec:accept drop-table: not here\nop.add_column("users", sa.Column("a", sa.Text))')

    assert "accept-unused" in {each.rule for each in lint_second(tree, body)}


def test_an_expand_that_must_wait_for_an_earlier_contract_is_noted(tree: Path) -> None:
    contract = '\n\ndef contract():\n    op.drop_column("users", "name")\n'
    write_revision(tree, "second", "first", upgrade("pass") + contract)
    body = 'op.execute("UPDATE users SET email = name")\nop.add_column("users", sa.Column("note", sa.Text))'
    third = write_revision(tree, "third", "second", upgrade(body))
    revisions = render_tree(open_project(ProjectOptions((str(tree / "alembic.ini"),))).script)

    report = lint_tree(revisions, Settings(), today=date(2026, 1, 1))

    (found,) = [each for each in report.findings if each.rule == "waits-for-contract"]
    assert (found.path, found.severity) == (str(third), Severity.NOTE)
    assert "until contract second is done, this expand is refused: both touch users.name" in found.message
