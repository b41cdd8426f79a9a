"""Every rule's examples on real servers: what the rule claims is what PostgreSQL does."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from expandcontract.lint import Hazard
from expandcontract.lint.catalogue import all_rules
from expandcontract.lint.rule import Example
from tests.fixtures.servers import Server
from tests.proof.observing import dsn, fresh_database, observe, proof_database

# Rules whose examples aren't about running a statement: text, session or the whole server.
NOT_RUN = {
    "drop-database": "the example's database is not the one we are in",
    "alter-system": "it would change the server that other examples run on",
    "accept-expired": "about comments",
    "accept-unknown": "about comments",
    "undecided": "about comments",
    "accept-unused": "about comments",
    "accept-without-reason": "about comments",
    "nested-transaction": "the observer is in a transaction of its own",
    "commit-in-managed-transaction": "the observer is in a transaction of its own",
    "uncommitted-transaction": "the observer is in a transaction of its own",
    "index-corruption-pg14": "only 14.0 to 14.3 are corrupt",
    "not-analysed": "needs PL/Python",
    "opaque-dynamic-sql": "its SQL is made up to be unreadable",
}
# DETACH … CONCURRENTLY waits for writers after its first transaction has given the locks back.
GONE_BEFORE_THE_WAIT = frozenset(("detach-partition",))
RUNNABLE = [name for name in all_rules() if name not in NOT_RUN]


@pytest.fixture(scope="module")
def prepared(each_server: Server) -> Iterator[Server]:
    with proof_database(each_server):
        yield each_server


def supported(server: Server, example: Example) -> bool:
    """Whether the server has the extensions that an example needs."""
    if server.major < 15 and "TABLESPACE fast" in example.schema + example.sql:
        return False
    wanted = [word for word in ("citext", "hstore") if word in example.schema + example.sql]
    with psycopg.connect(dsn(server)) as connection:
        at_hand = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}
    return set(wanted) <= at_hand


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_bad_example_does_what_the_rule_claims(prepared: Server, name: str) -> None:
    server, rule = prepared, all_rules()[name]
    claims = [effect for effect in rule.effects if effect.covers(server.major)]
    if not claims or not supported(server, rule.bad):
        return  # nothing is claimed for this version

    observed = observe(server, rule.bad.schema, rule.bad.sql)

    if name not in GONE_BEFORE_THE_WAIT:
        assert {relation: int(mode) for relation, mode in claims[0].locks.items()} == observed.locks
    if "CONCURRENTLY" not in rule.bad.sql and name not in ("domain-constraint-scan", "vacuum-full"):
        assert set(claims[0].work) == observed.work


@pytest.mark.parametrize("name", [name for name in RUNNABLE if all_rules()[name].hazard is Hazard.FAILURE])
def test_what_is_said_to_fail_fails(prepared: Server, name: str) -> None:
    server, rule = prepared, all_rules()[name]
    if name == "identifier-too-long" or (int(rule.bad.version) < 12 <= server.major):
        return  # cut off silently; or it fails on older servers only
    if name == "unsupported-syntax-for-version" and server.major >= 18:
        return
    if name == "not-valid-fk-on-partitioned-table" and server.major >= 18:
        return

    with pytest.raises(errors.Error):
        run(server, rule.bad)


def run(server: Server, example: Example) -> None:
    """Run an example as it says: each statement by itself, or all in one transaction."""
    with fresh_database(server) as connection:
        connection.execute(example.schema)
        if example.in_transaction:
            with connection.transaction():
                connection.execute(example.sql)
        else:
            for statement in filter(str.strip, example.sql.split("; ")):
                connection.execute(statement)


@pytest.mark.parametrize("name", RUNNABLE)
def test_the_good_example_runs(prepared: Server, name: str) -> None:
    server, example = prepared, all_rules()[name].good
    if not supported(server, example) or int(example.version) > server.major or "columnar" in example.sql:
        return  # not on this server
    run(server, example)
