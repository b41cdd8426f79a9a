"""For each recipe a change of models that it is for, and how the old and the new release write."""

from __future__ import annotations

from collections.abc import Callable

from tests.fixtures.lifecycle import ChangeInLife
from tests.fixtures.project import AlembicProject
from tests.fixtures.release_clients import ROWS, Beside, Shape
from tests.fixtures.well_written import assert_well_written


def table(
    name: str, *columns: str, id_: str = 'sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)'
) -> str:
    """The model of a table with an id, a version, and these columns and constraints."""
    head = [f'"{name}"', "metadata", id_, 'sa.Column("version", sa.BigInteger, nullable=False)']
    return f"{name} = sa.Table({', '.join([*head, *columns])})\n"


def ec_new(*arguments: str) -> Callable[[AlembicProject], object]:
    """``ec new`` writes the file, and it is well written and lints clean."""

    def author(project: AlembicProject) -> None:
        written = project.json("new", *arguments, "--rev-id", "0002")
        assert_well_written(written["text"], project.folder)
        linted = project.json("lint")
        reported = [finding for finding in linted["findings"] if finding["severity"] != "note"]
        assert not reported, reported

    return author


NAME = Shape("users", {"name": "'n' || {v}"})
TEXT_NAME = 'sa.Column("name", sa.Text)'
ORGS = 'orgs = sa.Table("orgs", metadata, sa.Column("id", sa.Integer, primary_key=True))\n'
SEED_USERS = f"INSERT INTO users (version, name) SELECT 1, 'n1' FROM generate_series(1, {ROWS})"


def named(column: str, index: str, constraint: str) -> str:
    """A column with all that can stand on one: default, comment, indexes, a unique constraint and a check."""
    return table(
        "users",
        f'sa.Column("{column}", sa.Text, nullable=False, server_default="nobody", comment="as they like it")',
        'sa.Column("note", sa.Text)',
        f'sa.Index("{index}", "{column}")',
        f'sa.Index("by_note", sa.text("lower({column})"), "note", postgresql_where=sa.text("note IS NOT NULL"))',
        f'sa.UniqueConstraint("id", "{column}", name="{constraint}")',
        f'sa.CheckConstraint("{column} <> \'\'", name="filled")',
    )


def referring(column: str, type_: str) -> str:
    """A column with a foreign key and an index."""
    reference = f'sa.Column("{column}", {type_}, sa.ForeignKey("orgs.id", ondelete="CASCADE"), index=True)'
    return ORGS + table("users", reference)


def key(name: str, column: str) -> str:
    """A table of users whose key is this column, and one that refers to it."""
    posts = f'sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.{name}", ondelete="CASCADE"), nullable=False)'
    return table("users", TEXT_NAME, id_=column) + table("posts", posts)


def ordered(column: str, *values: str, type_: str) -> str:
    """A table of orders with an enum."""
    listed = ", ".join(f'"{value}"' for value in values)
    return table("orders", f'sa.Column("{column}", sa.Enum({listed}, name="{type_}"), nullable=False, index=True)')


def people(name: str) -> str:
    """A table with all that may be named after it."""
    return ORGS + table(
        name,
        'sa.Column("name", sa.Text, index=True)',
        'sa.Column("org_id", sa.Integer, sa.ForeignKey("orgs.id"))',
        'sa.UniqueConstraint("id", "name")',
        f'sa.CheckConstraint("version > 0", name="{name}_version_check")',
    )


def partitioned(*more: str) -> str:
    """A table of four partitions."""
    partitions = "".join(
        f'sa.event.listen(events, "after_create", sa.DDL("CREATE TABLE events_{number} PARTITION OF events'
        f' FOR VALUES WITH (MODULUS 4, REMAINDER {number})"))\n'
        for number in range(4)
    )
    return table("events", TEXT_NAME, *more, 'postgresql_partition_by="HASH (id)"') + partitions


PROFILES = """
profiles = sa.Table(
    "profiles", metadata,
    sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("bio", sa.Text),
    sa.Column("site", sa.Text, nullable=False, comment="where"),
)
"""


def notes(*columns: str) -> str:
    """A table with a row for each user."""
    key = 'sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), primary_key=True)'
    head = ['"notes"', "metadata", key, 'sa.Column("note", sa.Text)']
    return f"notes = sa.Table({', '.join([*head, *columns])})\n"


CHANGES = {
    "rename-column": ChangeInLife(
        named("name", "ix_users_name", "users_id_name_key"),
        named("display_name", "ix_users_display_name", "users_id_display_name_key"),
        NAME,
        Shape("users", {"display_name": "'n' || {v}"}),
        ec_new("rename-column", "users", "name", "display_name"),
    ),
    "rename-column with a foreign key": ChangeInLife(
        referring("org_id", "sa.Integer"),
        referring("organisation_id", "sa.Integer"),
        Shape("users", {"org_id": "1 + {v} % 3"}),
        Shape("users", {"organisation_id": "1 + {v} % 3"}),
        ec_new("rename-column", "users", "org_id", "organisation_id"),
        also=("INSERT INTO orgs SELECT generate_series(1, 3)",),
    ),
    "rename-table": ChangeInLife(
        people("users"),
        people("people"),
        NAME,
        Shape("people", {"name": "'n' || {v}"}),
        ec_new("rename-table", "users", "people"),
    ),
    "change-type": ChangeInLife(
        table("users", 'sa.Column("total", sa.Integer, nullable=False, server_default=sa.text("0"), index=True)'),
        table("users", 'sa.Column("cents", sa.BigInteger, nullable=False, server_default=sa.text("0"), index=True)'),
        Shape("users", {"total": "({v})::integer"}),
        Shape("users", {"cents": "{v} * 100"}),
        ec_new("change-type", "users", "total", "bigint", "cents", "--using", "total * 100", "--back", "cents / 100"),
    ),
    "change-type of a referenced key": ChangeInLife(
        key("id", 'sa.Column("id", sa.Integer, primary_key=True)'),
        key("id_big", 'sa.Column("id_big", sa.BigInteger, primary_key=True)'),
        NAME,
        Shape("users", {"name": "'n' || {v}"}, upserts=False, id="id_big"),
        ec_new("change-type", "users", "id", "bigint", "id_big"),
        also=(
            "INSERT INTO users (version, name) VALUES (1, 'n1')",
            "INSERT INTO posts (version, user_id) SELECT 1, 1 FROM generate_series(1, 100)",
        ),
    ),
    "change-type of an identity": ChangeInLife(
        table("users", TEXT_NAME, id_='sa.Column("id", sa.Integer, sa.Identity(), primary_key=True)'),
        table("users", TEXT_NAME, id_='sa.Column("id_big", sa.BigInteger, sa.Identity(), primary_key=True)'),
        NAME,
        Shape("users", {"name": "'n' || {v}"}, upserts=False, id="id_big"),
        ec_new("change-type", "users", "id", "bigint", "id_big"),
    ),
    "add-not-null-column with a default": ChangeInLife(
        table("users", TEXT_NAME),
        table("users", TEXT_NAME, 'sa.Column("plan", sa.Text, nullable=False)'),
        NAME,
        Shape(
            "users",
            {"name": "'n' || {v}", "plan": "'p' || {v}"},
            right="name = 'n' || version AND plan ~ '^(free|p.+)$'",
        ),
        ec_new("add-not-null-column", "users", "plan", "text", "--default", "'free'"),
    ),
    "add-not-null-column that is filled": ChangeInLife(
        table("users", TEXT_NAME),
        table("users", TEXT_NAME, 'sa.Column("upper_name", sa.Text, nullable=False)'),
        NAME,
        Shape("users", {"name": "'n' || {v}", "upper_name": "'N' || {v}"}),
        ec_new("add-not-null-column", "users", "upper_name", "text", "--fill", "upper(name)"),
    ),
    "make-not-null": ChangeInLife(
        table("users", TEXT_NAME),
        table("users", 'sa.Column("name", sa.Text, nullable=False)'),
        Shape("users", {"name": "nullif('n' || {v}, 'n3')"}, right="name IS NULL OR name IN ('', 'n' || version)"),
        Shape("users", {"name": "'n' || {v}"}, right="name IS NULL OR name IN ('', 'n' || version)"),
        ec_new("make-not-null", "users", "name", "--fill", "''"),
        filled_by_code=True,
    ),
    "drop-column": ChangeInLife(
        table("users", TEXT_NAME, 'sa.Column("nick", sa.Text, nullable=False, index=True)'),
        table("users", TEXT_NAME),
        Shape(
            "users", {"name": "'n' || {v}", "nick": "'k' || {v}"}, right="name = 'n' || version AND nick ~ '^(k.+)?$'"
        ),
        NAME,
        ec_new("drop-column", "users", "nick", "--default", "''"),
    ),
    "drop-table": ChangeInLife(
        table("users", TEXT_NAME)
        + table("drafts", TEXT_NAME, 'sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"))'),
        table("users", TEXT_NAME),
        Shape("drafts", {"name": "'n' || {v}", "user_id": "1 + {v} % 20"}),
        NAME,
        ec_new("drop-table", "drafts"),
        also=(SEED_USERS,),
    ),
    "add-foreign-key": ChangeInLife(
        table("users", TEXT_NAME) + table("posts", 'sa.Column("user_id", sa.BigInteger)'),
        table("users", TEXT_NAME)
        + table("posts", 'sa.Column("user_id", sa.BigInteger, sa.ForeignKey("users.id"), index=True)'),
        Shape("posts", {"user_id": "{v} % 5"}, right="user_id IS NULL OR user_id = version % 5"),
        Shape("posts", {"user_id": "nullif({v} % 5, 0)"}, right="user_id IS NULL OR user_id = version % 5"),
        ec_new("add-foreign-key", "posts", "user_id", "users", "--index", "--orphans-null"),
        filled_by_code=True,
        also=(SEED_USERS,),
    ),
    "add-unique": ChangeInLife(
        table("users", 'sa.Column("email", sa.Text)'),
        table("users", 'sa.Column("email", sa.Text, unique=True)'),
        Shape("users", {"email": "{v} || gen_random_uuid()::text"}, right="starts_with(email, version::text)"),
        Shape("users", {"email": "{v} || gen_random_uuid()::text"}, right="starts_with(email, version::text)"),
        ec_new("add-unique", "users", "email"),
    ),
    "add-check": ChangeInLife(
        table("users", 'sa.Column("total", sa.BigInteger)'),
        table("users", 'sa.Column("total", sa.BigInteger)', 'sa.CheckConstraint("total >= 0", name="total_positive")'),
        Shape("users", {"total": "{v} * sign({v} % 3 - 1)::int"}, right="total IN (version, -version, 0)"),
        Shape("users", {"total": "{v}"}, right="total IN (version, -version, 0)"),
        ec_new("add-check", "users", "total_positive", "total >= 0", "--fix", "total=0"),
        filled_by_code=True,
    ),
    "add-index": ChangeInLife(
        table("users", TEXT_NAME),
        table("users", 'sa.Column("name", sa.Text, index=True)'),
        NAME,
        NAME,
        ec_new("add-index", "users", "name"),
    ),
    "add-index with an expression": ChangeInLife(
        table("users", TEXT_NAME),
        table("users", TEXT_NAME, 'sa.Index("low", sa.text("lower(name)"), postgresql_where=sa.text("version > 1"))'),
        NAME,
        NAME,
        ec_new("add-index", "users", "lower(name)", "--name", "low", "--where", "version > 1"),
    ),
    "drop-index": ChangeInLife(
        table("users", 'sa.Column("name", sa.Text, index=True)'),
        table("users", TEXT_NAME),
        NAME,
        NAME,
        ec_new("drop-index", "ix_users_name"),
    ),
    "split-column": ChangeInLife(
        table("users", TEXT_NAME),
        table("users", 'sa.Column("first", sa.Text, nullable=False)', 'sa.Column("last", sa.Text, nullable=False)'),
        Shape("users", {"name": "'f' || {v} || ' l' || {v}"}),
        Shape("users", {"first": "'f' || {v}", "last": "'l' || {v}"}),
        ec_new(
            *("split-column", "users", "name", "--not-null", "--back", "first || ' ' || last"),
            *("--into", "first=split_part(name, ' ', 1)", "--into", "last=split_part(name, ' ', 2)"),
        ),
    ),
    "merge-columns": ChangeInLife(
        table("users", 'sa.Column("first", sa.Text)', 'sa.Column("last", sa.Text)'),
        table("users", TEXT_NAME),
        Shape("users", {"first": "'f' || {v}", "last": "'l' || {v}"}),
        Shape("users", {"name": "'f' || {v} || ' l' || {v}"}),
        ec_new(
            *("merge-columns", "users", "name", "first || ' ' || last"),
            *("--back", "first=split_part(name, ' ', 1)", "--back", "last=split_part(name, ' ', 2)"),
        ),
    ),
    "change-enum": ChangeInLife(
        ordered("status", "open", "paid", type_="order_status"),
        ordered("state", "open", "paid", "refunded", type_="order_state"),
        Shape(
            "orders",
            {"status": "CASE WHEN {v} % 2 = 0 THEN 'open' ELSE 'paid' END::order_status"},
            right="status = CASE WHEN version % 2 = 0 THEN 'open' ELSE 'paid' END::order_status",
        ),
        Shape(
            "orders",
            {"state": "CASE WHEN {v} % 2 = 0 THEN 'open' ELSE 'refunded' END::order_state"},
            right="CASE WHEN version % 2 = 0 THEN state = 'open' ELSE state IN ('paid', 'refunded') END",
        ),
        ec_new(
            "change-enum",
            "orders",
            "status",
            "state",
            "order_state",
            "open",
            "paid",
            "refunded",
            "--back",
            "refunded=paid",
        ),
    ),
    "add-partitioned-index": ChangeInLife(
        partitioned(),
        partitioned('sa.Index("ix_events_name", "name")'),
        Shape("events", {"name": "'n' || {v}"}),
        Shape("events", {"name": "'n' || {v}"}),
        ec_new("add-partitioned-index", "events", "name"),
    ),
    "add-primary-key": ChangeInLife(
        table("users", TEXT_NAME, id_='sa.Column("id", sa.BigInteger, sa.Identity())'),
        table(
            "users",
            'sa.Column("name", sa.Text, primary_key=True)',
            id_='sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True)',
        ),
        Shape("users", {"name": "'n' || {v}"}, upserts=False),
        Shape("users", {"name": "'n' || {v}"}, upserts=False),
        ec_new("add-primary-key", "users", "id", "name"),
    ),
    "extract-table": ChangeInLife(
        table("users", 'sa.Column("bio", sa.Text)', 'sa.Column("site", sa.Text, nullable=False, comment="where")'),
        table("users") + PROFILES,
        Shape("users", {"bio": "'b' || {v}", "site": "'s' || {v}"}),
        Shape("users", {}, beside=Beside("profiles", "user_id", {"bio": "'b' || {v}", "site": "'s' || {v}"})),
        ec_new("extract-table", "users", "profiles", "bio", "site", "--key", "user_id", "--default", "site=''"),
    ),
    "move-column": ChangeInLife(
        table("users", 'sa.Column("bio", sa.Text, nullable=False, comment="in their words")') + notes(),
        table("users") + notes('sa.Column("bio", sa.Text, nullable=False, comment="in their words")'),
        Shape("users", {"bio": "'b' || {v}"}, beside=Beside("notes", "user_id", {"note": "'t' || {v}"})),
        Shape("users", {}, beside=Beside("notes", "user_id", {"note": "'t' || {v}", "bio": "'b' || {v}"})),
        ec_new("move-column", "users", "bio", "notes", "--default", "''"),
    ),
    "move-column whose values have several forms": ChangeInLife(
        table("users", 'sa.Column("total", sa.Numeric, server_default="0")') + notes(),
        table("users") + notes('sa.Column("sum", sa.Numeric, server_default="0")'),
        Shape("users", {"total": "{v} * 1.0"}, beside=Beside("notes", "user_id", {"note": "'t' || {v}"})),
        Shape("users", {}, beside=Beside("notes", "user_id", {"note": "'t' || {v}", "sum": "{v} * 1.00"})),
        ec_new("move-column", "users", "total", "notes", "--name", "sum"),
    ),
}
