"""`ec doctor` on a database prepared with each risk names it with its remedy, and is silent where that was followed."""

import socket
import struct
import threading
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from expandcontract.domain.diagnosis import CHECKS, name_of
from expandcontract.proof.scratch_server import ScratchServer
from tests.fixtures.project import ADD_NOTES, CREATE_USERS, rename_name, until
from tests.fixtures.servers import database_on, local_installations, ram_disk, unavailable, with_parameters

# What a plain role on a plain server has: neither is wrong with anybody's project.
USUAL = {"sees-too-little", "no-statement-statistics"}


def examined(project, *, code=None, **variables):
    """The risks by name; their weights fit the exit code, and each has its remedy."""
    ran = project.ec("doctor", "--json", variables=variables)
    risks = ran.json["risks"]
    assert ran.code == (1 if any(risk["weight"] == "fails" for risk in risks) else 0), ran
    assert code in (None, ran.code), ran
    assert all(risk["remedy"] and risk["because"] for risk in risks)
    assert {risk["name"] for risk in risks} <= set(ran.json["looked_for"])
    found = {}
    for risk in risks:
        found.setdefault(risk["name"], []).append(risk)
    return found


def because(found, name):
    return "; ".join(risk["because"] for risk in found[name])


def applied(project):
    project.revision("0001", CREATE_USERS)
    project.ok("migrate", "expand")
    return project


def test_every_risk_has_a_test_here():
    """By its name; a check that is added without one is noticed."""
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    # "old-server" has its test in tests/unit/domain/test_diagnosis.py: there is no server of that age to be had
    assert [name for name in map(name_of, CHECKS) if f'"{name}"' not in text] == []


def test_a_sound_project_has_none_that_makes_a_step_fail_and_is_only_read(each_database, make_project):
    project = applied(make_project(each_database))
    before = project.snapshot()

    found = examined(project, code=0)
    text = project.ok("doctor").stdout

    assert found.keys() <= USUAL
    assert f"looked for {len(CHECKS)} risks, {len(CHECKS) - len(found)} of them not there" in text
    assert project.snapshot() == before


def test_a_database_without_a_ledger_is_examined_as_well(project):
    project.revision("0001", CREATE_USERS)
    before = project.snapshot()

    found = examined(project, code=0)

    assert found.keys() - USUAL == {"step-unapplied"}
    assert because(found, "step-unapplied") == "expand 0001 (change 0001) hasn't run, and may"
    assert found["step-unapplied"][0]["remedy"] == "ec migrate expand 0001"
    assert project.snapshot() == before


@pytest.mark.parametrize("kind", ["psycopg-async", "asyncpg"])
def test_env_py_s_own_session_is_asked_whatever_its_driver(kind, database, make_project):
    assert examined(applied(make_project(database, kind)), code=0).keys() <= USUAL


# the role


def test_a_role_that_sees_little_is_told_what_it_lacks(project, make_login):
    stranger = make_login()
    project.revision("0001", CREATE_USERS)
    found = examined(project, code=1, EC_DATABASE_URL=stranger)
    assert "may not make its schema" in because(found, "ledger-out-of-reach")
    assert "no-schema-to-create-in" in found

    project.ok("migrate", "expand")
    project.revision("0002", ADD_NOTES, after="0001")
    found = examined(project, code=1, EC_DATABASE_URL=stranger)
    assert "lacks USAGE, SELECT, INSERT, UPDATE, DELETE ON ledger, " in because(found, "ledger-out-of-reach")
    assert "public.users" in because(found, "not-owner")
    assert found["no-schema-to-create-in"][0]["remedy"].startswith("GRANT CREATE ON SCHEMA public TO ec_login_")
    assert "GRANT pg_monitor TO ec_login_" in found["sees-too-little"][0]["remedy"]


def test_a_table_of_somebody_else_fails_where_a_waiting_step_changes_it(project, make_login, database):
    applied(project)
    other = make_login()
    role = psycopg.conninfo.conninfo_to_dict(other)["user"]
    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE TABLE theirs (id int PRIMARY KEY); ALTER TABLE theirs OWNER TO {0};").format(
            sql.Identifier(role)
        ))  # fmt: skip
    assert [risk["weight"] for risk in examined(project, code=0)["not-owner"]] == ["risky"]

    body = 'def upgrade():\n    op.execute("ALTER TABLE theirs ADD COLUMN note text")\ndef downgrade(): pass\n'
    project.revision("0002", body, after="0001")

    found = examined(project, code=1)
    assert because(found, "not-owner").endswith("doesn't own public.theirs, which a waiting step changes")
    assert project.ec("migrate", "expand").code in (2, 7)  # it was right

    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(database.role)))
    assert "not-owner" not in examined(project, code=0)
    project.ok("migrate", "expand")
    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(role), sql.Identifier(database.role)))


def test_a_superuser_and_an_application_with_the_same_role_are_named(project, database):
    applied(project)
    assert "superuser" in examined(project, code=0, EC_DATABASE_URL=database.superuser_dsn)
    with project.connect(application_name="shop"):
        found = examined(project, code=0)
        assert "sessions called shop use role" in because(found, "role-shared-with-the-application")
    assert "superuser" not in examined(project)


def test_blockers_that_are_to_be_cancelled_need_the_right_to(project, database):
    applied(project)
    assert "cannot-cancel" not in examined(project)
    found = examined(project, code=0, EC_CANCEL_BLOCKERS="5m")
    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        admin.execute(found["cannot-cancel"][0]["remedy"])
        assert "cannot-cancel" not in examined(project, EC_CANCEL_BLOCKERS="5m")
        admin.execute(found["cannot-cancel"][0]["remedy"].replace("GRANT", "REVOKE").replace(" TO ", " FROM "))


def test_a_role_for_which_statements_are_to_be_planned_must_be_fit_for_it(project, make_login, database):
    applied(project)
    login = psycopg.conninfo.conninfo_to_dict(make_login())["user"]
    assert "probe-role-unusable" not in examined(project)
    assert "there is no such role" in because(examined(project, code=1, EC_PROBE_ROLE="gone"), "probe-role-unusable")
    assert "SET ROLE" in because(examined(project, code=1, EC_PROBE_ROLE=login), "probe-role-unusable")

    names = {"login": sql.Identifier(login), "runner": sql.Identifier(database.role)}
    with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("GRANT {login} TO {runner}").format(**names))
    assert "may read no table" in because(examined(project, code=1, EC_PROBE_ROLE=login), "probe-role-unusable")
    project.execute(f"GRANT SELECT ON users TO {login}")
    assert "probe-role-unusable" not in examined(project, code=0, EC_PROBE_ROLE=login)


def test_a_ledger_that_others_may_write_is_named(project, make_login):
    applied(project)
    role = psycopg.conninfo.conninfo_to_dict(make_login())["user"]
    project.execute(f"GRANT USAGE ON SCHEMA ec TO {role}; GRANT INSERT ON ec.event TO {role}")
    found = examined(project, code=1)
    assert f"role {role} may write to ec.event," in because(found, "ledger-open-to-others")
    assert "ledger-open-to-others" not in examined(project, code=0, EC_MAINTENANCE_ROLES=role)
    project.execute(found["ledger-open-to-others"][0]["remedy"].partition(";")[0])

    project.execute("GRANT UPDATE ON ec.release TO PUBLIC")
    found = examined(project, code=1)
    assert "everybody may write" in because(found, "ledger-open-to-others")
    project.execute(found["ledger-open-to-others"][0]["remedy"])
    assert examined(project, code=0)


# the connection


def test_a_role_that_reads_only_and_settings_that_bite_are_named(project, make_login, database):
    applied(project)
    reader = make_login(owner=True, default_transaction_read_only="on")
    assert "default_transaction_read_only is on" in because(
        examined(project, code=1, EC_DATABASE_URL=reader), "read-only"
    )

    hasty = make_login(owner=True, statement_timeout="7s", row_security="off", idle_session_timeout="30s")
    found = examined(project, code=1, EC_DATABASE_URL=hasty)
    assert "statement_timeout is 7s for role ec_login_" in because(found, "setting-bites")
    assert "row_security is off" in because(found, "setting-bites")
    assert "idle_session_timeout" not in because(found, "setting-bites")  # which ec replaces
    for risk in found["setting-bites"]:
        project.execute(risk["remedy"]) if project.rows(
            "SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper"
        ) else None
        assert risk["remedy"].startswith("ALTER ROLE ec_login_")


@contextmanager
def pooled(dsn):
    """What a pooler does to a login: the client is told a number of the pooler's own."""
    target = psycopg.conninfo.conninfo_to_dict(dsn)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                server = socket.create_connection((target["host"], int(target["port"])))
                for pair in ((client, server, False), (server, client, True)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        yield with_parameters(dsn, port=str(port), sslmode="disable", gssencmode="disable")
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def pump(source, sink, changes):
    """Pass everything on; of the first BackendKeyData ('K', length 12, pid, secret) another pid."""
    with source, sink:
        while True:
            try:
                data = source.recv(65536)
                at = data.find(b"K" + struct.pack("!i", 12)) if changes else -1
                if at >= 0:
                    data, changes = data[: at + 5] + struct.pack("!i", 1) + data[at + 9 :], False
                sink.sendall(data)
            except OSError:
                return
            if not data:
                return


def test_a_pooler_is_recognised(project):
    applied(project)
    with pooled(project.dsn) as dsn:
        found = examined(project, code=1, EC_DATABASE_URL=dsn)
        assert "leads through a pooler" in because(found, "pooler")
        refused = project.ec("migrate", "expand", variables={"EC_DATABASE_URL": dsn})
    assert refused.code == 2
    assert "behind a connection pooler" in refused.stderr


def test_an_address_with_several_hosts_must_say_which(project):
    applied(project)
    target = psycopg.conninfo.conninfo_to_dict(project.dsn)
    twice = {"host": f"{target['host']},localhost", "port": f"{target['port']},{target['port']}"}
    several = with_parameters(project.dsn, **twice)
    env = "EC_DATABASE_URL"  # env.py has an address of its own, as SQLAlchemy spells several hosts in another way
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("postgresql://nobody@127.0.0.1:1/nowhere", project.dsn.replace("%", "%%")))
    code = (project.folder / "migrations" / "env.py").read_text()
    project.write("migrations/env.py", code.replace('os.environ.get("EC_DATABASE_URL") or ', ""))

    found = examined(project, code=1, **{env: several})
    assert f"names {target['host']}:{target['port']}, localhost:" in because(found, "any-of-several-hosts")
    refused = project.ec("migrate", "expand", variables={env: several})
    assert refused.code == 2, refused
    assert "next:    add target_session_attrs=read-write to it" in refused.stderr
    chosen = with_parameters(several, target_session_attrs="read-write")
    found = examined(project, **{env: chosen})
    assert "any-of-several-hosts" not in found
    assert "split-brain" not in found  # both names are of one server; of two: tests/faults/test_split_brain.py
    project.ok("migrate", "expand", variables={env: chosen})


# sessions


def test_a_long_transaction_is_named(project):
    applied(project)
    with project.transaction("SELECT FROM users", application_name="a slow report") as reader:
        pid = reader.info.backend_pid
        until(lambda: "long-transaction" in examined(project, code=0, EC_LOCK_BUDGET="200ms"), what="it is old enough")
        found = examined(project, EC_LOCK_BUDGET="200ms")
        assert f"pid {pid} (role " in because(found, "long-transaction")
        assert "application a slow report, idle in transaction" in because(found, "long-transaction")
        assert found["long-transaction"][0]["remedy"].endswith(f"pg_terminate_backend({pid})")
        assert "long-transaction" not in examined(project)  # within the budget of ten minutes


def test_a_runner_at_work_is_named(project):
    applied(project)
    with project.connect(autocommit=True, application_name="ec:build-7:4711") as runner:
        runner.execute("SELECT pg_advisory_lock(x'6563'::int, 1)")
        found = examined(project, code=0)
        assert f"backend {runner.info.backend_pid} (ec:build-7:4711) runs steps" in because(found, "runner-at-work")


@pytest.mark.long
def test_a_runner_that_does_nothing_for_a_minute_is_stale(project):
    applied(project)
    with project.connect(autocommit=True, application_name="ec:build-7:4711") as runner:
        runner.execute("SELECT pg_advisory_lock(x'6563'::int, 1)")
        until(lambda: "runner-is-stale" in examined(project), seconds=120, what="it is stale")
        found = examined(project, code=1)
        assert "runner-at-work" not in found
        project.execute(found["runner-is-stale"][0]["remedy"].rpartition(", ")[2])
    assert "runner-is-stale" not in examined(project, code=0)


# tables


def test_tables_without_a_key_and_invalid_indexes_are_named(project):
    applied(project)
    project.execute(
        "CREATE TABLE keyless (n int)",
        "CREATE TABLE with_nulls (n int UNIQUE)",
        "CREATE TABLE by_unique (n int NOT NULL UNIQUE)",
        'CREATE TABLE "odd ""table" (n int)',
        "INSERT INTO keyless VALUES (1), (1)",
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        project.execute("CREATE UNIQUE INDEX CONCURRENTLY twice ON keyless (n)")

    found = examined(project, code=0)

    assert because(found, "no-key").startswith(
        'public."odd ""table", public.keyless, public.with_nulls: no primary key'
    )
    assert "public.twice on public.keyless is INVALID" in because(found, "invalid-index")
    project.execute("DROP INDEX CONCURRENTLY public.twice")
    assert "invalid-index" not in examined(project)


# the project


def test_a_failed_step_and_one_that_may_run_are_named(project):
    applied(project)
    body = """
    def first():
        op.add_column("users", sa.Column("notes", sa.Text))

    def second():
        op.execute("SELECT 1 / 0")

    expand = (first, second)

    def upgrade():
        first()
        second()

    def downgrade(): pass
    """
    project.revision("0002", body, after="0001", title="add notes")
    assert because(examined(project, code=0), "step-unapplied") == "expand 0002 (add notes) hasn't run, and may"
    assert project.ec("migrate", "expand").code == 7

    found = examined(project, code=1)

    assert because(found, "step-failed") == "expand 0002 (add notes) failed: division by zero"


def test_an_old_tree_and_a_file_that_cannot_be_read_are_named(project):
    applied(project)
    project.revision("0002", ADD_NOTES, after="0001")
    project.ok("migrate", "expand")
    file = project.versions / "0002.py"
    text = file.read_text()
    file.unlink()
    project.revision("0003", ADD_NOTES.replace("notes", "remarks"), after="0001")
    assert "(old-tree)" in because(examined(project, code=1), "step-refused")

    file.write_text(text + "\nthis is no Python\n")
    assert "0002.py" in because(examined(project, code=1), "project-unusable")


def test_an_overdue_contract_is_named(project):
    applied(project)
    project.execute("INSERT INTO users (name) VALUES ('ada')")
    project.revision("0002", rename_name("1ms"), after="0001", title="rename users.name")
    project.ok("migrate", "expand")
    project.ok("backfill")
    project.ok("colour", "deploy", "green", "2")
    project.ok("colour", "traffic", "green=100")

    found = examined(project, code=0)

    assert because(found, "contract-overdue").startswith("contract 0002 (rename users.name) may run")
    project.ok(*found["contract-overdue"][0]["remedy"].removeprefix("ec ").split())
    assert "contract-overdue" not in examined(project)


def test_a_stopped_backfill_and_its_rows_set_aside_are_named(project):
    applied(project)
    project.execute(
        "INSERT INTO users (name) SELECT CASE WHEN i = 7 THEN 'x' ELSE '1' END FROM generate_series(1, 20) i"
    )
    body = """
    from expandcontract import Backfill

    def upgrade():
        op.add_column("users", sa.Column("number", sa.Integer))

    def downgrade():
        op.drop_column("users", "number")

    backfill = Backfill("users", set={"number": "name::int"}, where="number IS NULL", writers="0001")
    """
    project.revision("0002", body, after="0001", title="add number")
    project.ok("migrate", "expand")
    project.ok("colour", "deploy", "green", "2")
    project.ec("colour", "traffic", "green=100")
    assert project.ec("backfill").code == 7

    found = examined(project, code=1)

    assert "backfill 0002 has set 1 row(s) aside" in because(found, "rows-set-aside")
    assert "with 0 worker(s) at it" in because(found, "backfill-stopped")


# servers of their own


@pytest.mark.needs_cluster
def test_risks_of_the_server_are_named(installation, make_project):
    settings = {"max_prepared_transactions": 5, "autovacuum": "off", "deadlock_timeout": "3s"}
    with ScratchServer(installation, settings=settings, parent=ram_disk()) as server:
        project = applied(make_project(server.dsn()))
        with project.connect() as connection:
            connection.execute("UPDATE users SET name = name")
            connection.execute("PREPARE TRANSACTION 'it''s forgotten'")
        project.execute(
            "ALTER TABLE users SET (autovacuum_freeze_max_age = 100000)",
            # each block with EXCEPTION that writes uses up a transaction id
            "DO $$ BEGIN CREATE TEMP TABLE burnt (n int); FOR n IN 1 .. 110000 LOOP"
            " BEGIN INSERT INTO burnt VALUES (n); EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$",
            "SELECT pg_create_physical_replication_slot('replica_2', true)",
        )

        found = examined(
            project,
            code=0,
            EC_LOCK_BUDGET="100ms",
            EC_HEALTH_TRANSACTION_AGE="slow 1000, stop 2000000000",
            EC_HEALTH_STANDBYS="replica-1",
            EC_HEALTH_SLOT_WAL="slow 1B",
        )

        assert "prepared transaction 'it''s forgotten' of role postgres" in because(found, "prepared-transaction")
        assert because(found, "autovacuum-is-off")
        assert "gives way only after deadlock_timeout, 3s" in because(found, "autovacuum-does-not-give-way")
        assert because(found, "wraparound-vacuum-due").startswith("public.users: older than")
        assert "the oldest transaction id, of database" in because(found, "wraparound-near")
        assert "replica-1 isn't connected" in because(found, "standby-missing")
        assert "nobody uses replication slot replica_2" in because(found, "standby-missing")
        assert "slot replica_2 keeps" in because(found, "wal-piles-up")
        project.execute("ROLLBACK PREPARED 'it''s forgotten'", "VACUUM (FREEZE) users")
        assert "prepared-transaction" not in examined(project, EC_LOCK_BUDGET="100ms")
        assert "wraparound-vacuum-due" not in examined(project)

        project.execute("ALTER SYSTEM SET synchronous_standby_names = 'replica_1'", "SELECT pg_reload_conf()")
        until(lambda: project.value("SHOW synchronous_standby_names") == "replica_1", what="the server has read it")
        assert "every commit waits" in because(examined(project, code=1), "commits-wait-for-nobody")


@pytest.mark.needs_cluster
def test_statements_that_are_counted_are_no_risk(make_project):
    with_contrib = [
        one for one in local_installations() if list(one.bin_dir.parent.glob("lib/**/pg_stat_statements.so"))
    ]
    if not with_contrib:
        unavailable("no installation here has pg_stat_statements")
    settings = {"shared_preload_libraries": "pg_stat_statements"}
    with ScratchServer(with_contrib[0], settings=settings, parent=ram_disk()) as server:
        database = database_on(server)
        project = applied(make_project(database))
        assert "no-statement-statistics" in examined(project)
        with psycopg.connect(database.superuser_dsn, autocommit=True) as admin:
            admin.execute("CREATE EXTENSION pg_stat_statements")
        assert "no-statement-statistics" not in examined(project)


@pytest.mark.needs_cluster
@pytest.mark.long
def test_a_standby_that_is_late_and_one_that_is_asked_are_named(pair, make_project):
    project = applied(make_project(database_on(pair.primary)))
    with psycopg.connect(pair.primary.dsn(), autocommit=True) as admin:
        admin.execute("GRANT pg_monitor TO shop_runner")
    assert "standby-late" not in examined(project)
    pair.standby.pause_replay()
    project.execute("INSERT INTO users (name) SELECT repeat('x', 100) FROM generate_series(1, 5000)")
    limits = {"EC_HEALTH_REPLICATION_LAG": "slow 100kB, stop 1GB"}
    until(lambda: "standby-late" in examined(project, **limits), what="the standby is late")
    assert "replica-1 is behind by" in because(examined(project, **limits), "standby-late")
    pair.standby.resume_replay()
    until(lambda: "standby-late" not in examined(project, **limits), what="it has caught up")

    found = examined(project, code=1, EC_DATABASE_URL=with_parameters(project.dsn, port=str(pair.standby.port)))
    assert "in recovery" in because(found, "standby")
