"""The SQL of a Sync's triggers, as a DBA reads it."""

from __future__ import annotations

import pytest

from expandcontract.database.sync_catalog import SyncColumn
from expandcontract.database.sync_triggers import create_statements, drop_statements, object_name, trigger_names
from expandcontract.domain.change import Sync

TEXT = SyncColumn("text", identical_when_equal=True)
RENAME = Sync("users", forward={"display_name": "name"}, backward={"name": "display_name"}, schema="app")


def installed(sync, columns=None, **options):
    return "\n".join(create_statements(sync, columns or {}, **options))


def test_a_rename_is_an_assignment_and_two_comparisons():
    backward, forward, *_, update_1, update_2 = create_statements(RENAME, {"name": TEXT, "display_name": TEXT})

    name = object_name(RENAME)
    assert forward == (
        f'CREATE FUNCTION "app"."{name}_forward"() RETURNS trigger LANGUAGE plpgsql AS $ec_sync$\n'
        'BEGIN\n    NEW."display_name" := NEW."name";\n    RETURN NEW;\nEND\n$ec_sync$'
    )
    assert 'NEW."name" := NEW."display_name";' in backward
    assert update_1.startswith(f'CREATE TRIGGER "zz_{name}_update_1" BEFORE UPDATE ON "app"."users" FOR EACH ROW\n')
    assert update_1.endswith(f'EXECUTE FUNCTION "app"."{name}_backward"()')
    assert update_2.endswith(f'EXECUTE FUNCTION "app"."{name}_forward"()')
    assert (
        'WHEN (((OLD."name" IS DISTINCT FROM NEW."name")'
        ' AND OLD."display_name" IS NOT DISTINCT FROM NEW."display_name")'
        " AND pg_catalog.current_setting('ec.sync', true) IS DISTINCT FROM 'off')"
    ) in update_2


def test_only_variables_that_an_expression_mentions_are_declared():
    sync = Sync(
        "users",
        forward={"first": "split_part(full_name, ' ', 1)", "kept": "other"},
        reads=("full_name", "other", "unread"),
    )
    text = installed(sync)

    assert '"full_name" CONSTANT "users"."full_name"%TYPE := NEW."full_name";' in text
    assert '"other" CONSTANT' not in text
    assert 'NEW."kept" := NEW."other";' in text
    assert '"unread"' not in text


@pytest.mark.parametrize(
    ("forward", "is_bare"),
    [
        ("name", True),
        (" NAME ", True),
        ('"name"', True),
        ('"Name"', False),
        ("user", False),  # not the column "user" but who is logged in
        ('"user"', True),
        ("users.name", False),
    ],
)
def test_a_bare_name_needs_no_variable(forward, is_bare):
    sync = Sync("users", forward={"display_name": forward}, reads=("name", "user"))

    assert ("DECLARE" not in installed(sync)) is is_bare


def test_the_search_path_is_pinned_only_where_an_expression_is_computed():
    computed = Sync("users", forward={"a": "upper(name)"}, backward={"name": "a"})

    assert installed(computed).count("SET search_path FROM CURRENT") == 1
    assert "search_path" not in installed(computed, pin_search_path=False)
    assert "search_path" not in installed(RENAME)


def test_a_type_whose_equal_values_may_differ_is_compared_by_its_form():
    text = installed(RENAME, {"name": SyncColumn("numeric"), "display_name": TEXT})

    assert 'ROW(OLD."name")::pg_catalog.record *<> ROW(NEW."name")::pg_catalog.record' in text
    assert 'OLD."display_name" IS DISTINCT FROM NEW."display_name"' in text


def test_the_dollar_quote_is_none_that_the_expression_ends():
    sync = Sync("users", forward={"a": "name || $ec_sync$ x $ec_sync$ || $ec_sync_$ y $ec_sync_$"}, reads=("name",))

    assert "AS $ec_sync__$\n" in installed(sync)


@pytest.mark.parametrize("table", ["users", "x" * 63, "ü" * 31, "名" * 21])
def test_names_fit_and_differ(table):
    syncs = [Sync(table, forward={new: "name"}, backward={"name": new}, not_null=True) for new in ("a", "b")]

    names = [trigger_names(sync) for sync in syncs]
    assert all(len(name.encode()) <= 63 for each in names for name in each)
    assert not names[0] & names[1]


def test_each_function_and_trigger_is_dropped_the_triggers_first():
    sync = Sync("users", forward={"a": "x", "b": "x"}, backward={"x": "a"}, not_null=True)
    created = [statement.split()[1:3] for statement in create_statements(sync, {})]
    dropped = [statement.split()[1:3] for statement in drop_statements(sync)]

    assert len(created) == 3 + 2 + 3
    assert sorted(name.strip("()") for _, name in dropped) == sorted(name.strip("()") for _, name in created)
    assert [kind for kind, _ in dropped] == ["TRIGGER"] * 5 + ["FUNCTION"] * 3
    assert drop_statements(RENAME, [("s", "f")])[-1] == 'DROP FUNCTION "s"."f"()'
