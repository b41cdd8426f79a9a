"""What SQL touches, and that two texts which don't meet may really run in either order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.lint.footprint.footprint import footprint
from expandcontract.lint.footprint.standing import Standing
from expandcontract.lint.footprint.traces import READERS
from expandcontract.lint.statement import Action

SCHEMA = """
CREATE TABLE orgs (id bigint PRIMARY KEY, title text);
CREATE TABLE users (id bigint PRIMARY KEY, name text, email text, mood mood, org_id bigint REFERENCES orgs (id));
ALTER TABLE users ADD CONSTRAINT named CHECK (name <> '');
CREATE INDEX users_by_name ON users (name);
CREATE VIEW people AS SELECT name FROM users;
CREATE VIEW everybody AS SELECT * FROM people;
CREATE TABLE audit (line text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN INSERT INTO audit VALUES (NEW.name); RETURN NEW; END $$;
CREATE TRIGGER noting AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION note();
CREATE FUNCTION anything(what text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE what; END $$;
CREATE FUNCTION titles() RETURNS bigint LANGUAGE sql AS 'SELECT count(title) FROM orgs';
CREATE TABLE measured (at timestamptz, value int) PARTITION BY RANGE (at);
CREATE TABLE measured_now PARTITION OF measured DEFAULT;
CREATE TABLE invoices (id bigint DEFAULT nextval('numbers'), user_id bigint);
ALTER TABLE ONLY invoices ADD CONSTRAINT of_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
"""
STANDING = Standing([SCHEMA])


def meeting(one: str, other: str) -> str | None:
    return footprint([one], STANDING).meeting(footprint([other], STANDING))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ALTER TABLE users ADD COLUMN nick text", "ALTER TABLE users DROP COLUMN name"),
        ("ALTER TABLE users ADD COLUMN nick text", "ALTER TABLE orgs DROP COLUMN title"),
        ("CREATE INDEX i ON users (email)", "ALTER TABLE users DROP COLUMN name"),
        ("CREATE INDEX i ON users (lower(email))", "ALTER TABLE users DROP COLUMN name"),
        ("CREATE TABLE carts (user_id bigint REFERENCES users (id))", "ALTER TABLE users DROP COLUMN name"),
        ("UPDATE users SET email = lower(email)", "ALTER TABLE users DROP COLUMN mood"),
        ("INSERT INTO audit VALUES ('x')", "ALTER TABLE users DROP COLUMN name"),
        ("COMMENT ON COLUMN users.email IS 'x'", "ALTER TABLE users DROP COLUMN name"),
        ("SELECT 1", "DROP TABLE users"),
        ("SELECT titles()", "DROP INDEX users_by_name"),
        ("ALTER TABLE users VALIDATE CONSTRAINT named", "ALTER TABLE users DROP COLUMN email"),
        ("DO $$ BEGIN IF EXISTS (SELECT email FROM users) THEN NULL; END IF; END $$", "ALTER TABLE users DROP name"),
        ("SET search_path = app", "DROP TABLE users"),
        ('ALTER TABLE "Users" ADD COLUMN x int', "DROP TABLE users"),
        ("ALTER TABLE app.users ADD COLUMN x int", "DROP TABLE shop.users"),
        ("CREATE VIEW v AS SELECT name FROM users", "DROP VIEW people"),
        ("DROP VIEW people", "DROP INDEX users_by_name"),
        ("ALTER TABLE invoices DROP COLUMN user_id", "ALTER TABLE users DROP COLUMN org_id"),
    ],
)
def test_what_has_nothing_in_common_may_overtake(one: str, other: str) -> None:
    assert meeting(one, other) is None


@pytest.mark.parametrize(
    ("one", "other", "because"),
    [
        ("ALTER TABLE users ADD COLUMN name text", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("ALTER TABLE public.users ADD x int", "ALTER TABLE users DROP COLUMN x", "users.x"),
        ("ALTER TABLE users ADD COLUMN x int", "ALTER TABLE app.users DROP COLUMN x", "app.users.x"),
        ("ALTER TABLE USERS ADD COLUMN x int", 'ALTER TABLE "users" DROP COLUMN "x"', "users.x"),
        ("CREATE VIEW v AS SELECT * FROM users", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("CREATE VIEW v AS SELECT u.name FROM users u", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("CREATE VIEW v AS SELECT u FROM users u", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("CREATE VIEW v AS SELECT * FROM everybody", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("INSERT INTO people VALUES ('x')", "ALTER TABLE users ALTER name TYPE varchar(9)", "users.name"),
        ("CREATE INDEX i ON users (email) WHERE name = 'x'", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("ALTER INDEX users_by_name RENAME TO i", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("DROP INDEX users_by_name", "ALTER TABLE users ALTER name TYPE int USING 1", "users.name"),
        ("INSERT INTO users VALUES (1)", "DROP TABLE audit", "audit"),  # by its trigger
        ("DROP FUNCTION note() CASCADE", "ALTER TABLE users RENAME TO members", "note"),
        ("CREATE TRIGGER t BEFORE INSERT ON orgs EXECUTE FUNCTION note()", "DROP FUNCTION note()", "note"),
        (
            "CREATE TRIGGER t BEFORE INSERT ON orgs EXECUTE FUNCTION note()",
            "INSERT INTO orgs VALUES (1)",
            "orgs.(rows)",
        ),
        ("SELECT titles()", "ALTER TABLE orgs DROP COLUMN title", "orgs.title"),
        ("ALTER TABLE orgs ADD COLUMN m mood", "DROP TYPE mood CASCADE", "mood"),
        ("ALTER TABLE users ALTER mood SET DEFAULT 'x'", "ALTER TYPE mood RENAME TO moods", "mood"),
        ("ALTER TABLE invoices ALTER user_id TYPE int", "ALTER TABLE users ALTER id TYPE int", "users.id"),
        ("DELETE FROM users", "ALTER TABLE invoices ADD COLUMN x int", "invoices.x"),  # by its foreign key
        ("TRUNCATE users CASCADE", "INSERT INTO invoices VALUES (1)", "invoices"),
        (
            "ALTER TABLE users DROP COLUMN id CASCADE",
            "ALTER TABLE invoices DROP CONSTRAINT of_user",
            "invoices.of_user",
        ),
        ("DROP SEQUENCE numbers CASCADE", "ALTER TABLE invoices ALTER id TYPE int", "invoices.id"),
        ("ALTER TABLE users VALIDATE CONSTRAINT named", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("ALTER TABLE users DROP CONSTRAINT unheard_of", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("ALTER TABLE measured_now DROP value", "ALTER TABLE measured RENAME value TO v", "measured.v"),
        ("ALTER TABLE users RENAME TO members", "CREATE INDEX i ON members (email)", "members.email"),
        ("ALTER TABLE users RENAME name TO called", "DROP INDEX users_by_name", "users.name"),
        ("DROP SCHEMA app", "ALTER TABLE app.users ADD COLUMN x int", "app.users.x"),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA app TO reader", "CREATE TABLE app.t ()", "app.t"),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader", "CREATE TABLE t ()", "t"),
        ("ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", "CREATE INDEX i ON users (name)", "i"),
        ("UPDATE orgs SET title = (SELECT max(name) FROM users)", "ALTER TABLE users DROP name", "users.name"),
        ("DO $$ BEGIN ALTER TABLE users DROP COLUMN name; END $$", "CREATE INDEX i ON users (name)", "users.name"),
        ("WITH gone AS (DELETE FROM audit RETURNING *) SELECT 1", "DROP TABLE audit", "audit"),
        ("COPY users FROM STDIN", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("ALTER TABLE users DISABLE TRIGGER ALL", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("CREATE POLICY p ON users USING (name = 'x')", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("CREATE RULE r AS ON INSERT TO orgs DO ALSO DELETE FROM audit", "DROP TABLE audit", "audit"),
        ("CREATE PUBLICATION p FOR ALL TABLES", "DROP TABLE audit", "audit"),
        ("SELECT setval('numbers', 1)", "DROP SEQUENCE numbers", "numbers"),
        ("CREATE TABLE t (LIKE users)", "ALTER TABLE users DROP COLUMN name", "users.name"),
        ("CREATE MATERIALIZED VIEW m AS SELECT name FROM users", "ALTER TABLE users DROP name", "users.name"),
    ],
)
def test_what_has_something_in_common_may_not(one: str, other: str, because: str) -> None:
    assert meeting(one, other) == meeting(other, one)
    assert because in str(meeting(one, other)).removeprefix("both touch ").split(), meeting(one, other)


@pytest.mark.parametrize(
    ("sql", "because"),
    [
        ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'users'; END $$", "a DO block makes SQL up when it runs"),
        ("DO LANGUAGE plpython3u $$ x $$", "the body of this DO block (plpython3u) isn't looked into"),
        ("SELECT anything('DROP TABLE users')", "the function anything() makes SQL up when it runs"),
        ("SELECT postgis.mystery()", "what postgis.mystery() does isn't known"),
        ("CALL tidy_up()", "the body of the procedure tidy_up isn't looked into"),
        ("DROP INDEX unheard_of", "which table unheard_of stands on isn't known"),
        ("ALTER EXTENSION postgis UPDATE", "ALTER EXTENSION postgis runs scripts of its own"),
        ("DROP EXTENSION postgis", "DROP EXTENSION postgis isn't looked into"),
        ("CREATE AGGREGATE a (int) (SFUNC = f, STYPE = int)", "Define isn't looked into"),
        ("ALTER TABLE users FROBNICATE", 'the parser says: syntax error at or near "FROBNICATE"'),
    ],
)
def test_what_cannot_be_read_is_unknown_with_the_reason(sql: str, because: str) -> None:
    assert footprint([sql], STANDING).unknown == because


def test_every_kind_of_action_has_a_reader() -> None:
    assert set(READERS) == set(Action.__subclasses__())


# Two statements that don't meet lead to the same schema in either order: shown on a model of a schema, in which
# whatever stands in another's way makes itself felt.

COLUMNS = st.sampled_from(["name", "email", "nick"])
TABLES = st.sampled_from(["users", "orgs", "app.users", '"Users"'])
STATEMENTS = st.one_of(
    st.builds("ALTER TABLE {} ADD COLUMN {} text".format, TABLES, COLUMNS),
    st.builds("ALTER TABLE {} DROP COLUMN {}".format, TABLES, COLUMNS),
    st.builds("ALTER TABLE {} DROP COLUMN {} CASCADE".format, TABLES, COLUMNS),
    st.builds("ALTER TABLE {} RENAME COLUMN {} TO {}".format, TABLES, COLUMNS, COLUMNS),
    st.builds("ALTER TABLE {} RENAME TO orgs".format, TABLES),
    st.builds("CREATE INDEX i ON {} ({})".format, TABLES, COLUMNS),
    st.builds("CREATE VIEW v AS SELECT {1} FROM {0}".format, TABLES, COLUMNS),
    st.builds("UPDATE {0} SET {1} = {2}".format, TABLES, COLUMNS, COLUMNS),
    st.builds("INSERT INTO {} VALUES ('x')".format, TABLES),
    st.builds("DROP TABLE {}".format, TABLES),
)


@given(STATEMENTS, STATEMENTS, STATEMENTS)
def test_the_footprint_of_two_statements_is_that_of_each(one: str, two: str, other: str) -> None:
    both, alone = footprint([one, two], STANDING), footprint([one], STANDING)
    theirs = footprint([other], STANDING)

    assert footprint([f"{one}; {two}"], STANDING) == both
    if alone.meeting(theirs):
        assert both.meeting(theirs)


@given(STATEMENTS, STATEMENTS)
def test_knowing_more_of_the_database_never_makes_two_disjoint(one: str, other: str) -> None:
    nothing_known = Standing([])
    if footprint([one], nothing_known).meeting(footprint([other], nothing_known)):
        assert meeting(one, other)


@given(STATEMENTS)
def test_a_block_touches_what_its_statements_touch(statement: str) -> None:
    assert footprint([f"DO $$ BEGIN {statement}; END $$"], STANDING) == footprint([statement], STANDING)
