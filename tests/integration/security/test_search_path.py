"""Objects that somebody puts in front of PostgreSQL's own are never used by `ec`."""

import re
from pathlib import Path

import psycopg
import pytest

import expandcontract.database
from tests.fixtures.project import CREATE_USERS, rename_name
from tests.fixtures.servers import with_parameters

PATH = "evil,pg_catalog,public"
SQL = Path(expandcontract.database.__file__).parent / "sql"


def lures(project):
    """A function in schema evil beside each of PostgreSQL's whose name our SQL has, alike but for what it does."""
    text = "\n".join(file.read_text() for file in SQL.glob("*.sql"))
    names = sorted(set(re.findall(r"\b([a-z_]+)\(", text)) - {"to_regtype"})  # psycopg's own, when SQLAlchemy connects
    query = f"""
        SELECT format('CREATE FUNCTION evil.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', p.proname,
                      pg_get_function_identity_arguments(p.oid), format_type(p.prorettype, NULL),
                      format('BEGIN RAISE EXCEPTION ''lured into %s'' USING ERRCODE = ''XX000''; END', p.proname))
          FROM pg_proc p
         WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0
           AND NOT p.proretset AND p.prorettype::regtype::text !~ '^any|cstring|internal|trigger|void'
           AND pg_get_function_identity_arguments(p.oid) !~ 'any|cstring|internal|VARIADIC|OUT '
           AND p.proname = ANY ('{{{",".join(names)}}}')"""
    return [statement for (statement,) in project.rows(query)]


def test_functions_in_front_of_the_servers_own_are_never_called(project):
    project.execute("CREATE SCHEMA evil")
    made = lures(project)
    assert len(made) > 20
    project.execute(*made)
    project.variables["EC_DATABASE_URL"] = with_parameters(project.dsn, options=f"-c search_path={PATH}")
    project.revision("0001", CREATE_USERS)
    project.revision("0002", rename_name("1ms"), after="0001")
    with (
        psycopg.connect(project.variables["EC_DATABASE_URL"]) as lured,
        pytest.raises(psycopg.Error, match="lured into"),
    ):
        lured.execute("SELECT clock_timestamp()")

    for command in (
        ("doctor",),
        ("init",),
        ("plan",),
        ("migrate", "expand", "0001"),
        ("migrate", "expand"),
        ("backfill",),
        ("colour", "deploy", "green", "2"),
        ("colour", "traffic", "green=100"),
        ("migrate", "contract"),
        ("status",),
        ("log",),
    ):
        ran = project.ec(*command)
        assert "lured" not in ran.stdout + ran.stderr, (command, ran)
        assert ran.code == 0, (command, ran)
