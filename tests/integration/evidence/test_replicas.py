"""Statements on a replica, which the primary never hears of."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from expandcontract.proof.scratch_server import ScratchServer
from tests.fixtures.project import ProjectMaker, until
from tests.fixtures.servers import ram_disk
from tests.fixtures.shop import APP, OWNER, PASSWORD, PRELOAD, Shop, with_statements
from tests.fixtures.standby import Pair, Standby

CONFIGURED = """
[tool.expandcontract.replicas.reports]
address_env = "REPORTS"
"""


@pytest.mark.long
def test_a_report_that_reads_the_column_on_a_replica_alone_is_found(make_project: ProjectMaker) -> None:
    settings = {**PRELOAD, "wal_keep_size": "1GB"}
    with ScratchServer(with_statements(), settings=settings, parent=ram_disk()) as primary:
        with psycopg.connect(primary.dsn(), autocommit=True) as admin:
            for role in (OWNER, APP):
                statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                admin.execute(statement.format(sql.Identifier(role), sql.Literal(PASSWORD)))
            admin.execute("GRANT pg_read_all_stats TO shop_owner")
            admin.execute("CREATE DATABASE shop OWNER shop_owner")
        shop = Shop(primary, "shop", make_project(primary.dsn("shop", user=OWNER, password=PASSWORD)))
        shop.superuser("CREATE EXTENSION pg_stat_statements")
        shop.expand()
        shop.configure("statements", more=CONFIGURED)
        with Standby(primary, "reports", settings=settings) as standby:
            until(Pair(primary, standby).is_streaming, what="the standby streams")
            shop.project.variables["REPORTS"] = standby.dsn("shop", user=OWNER, password=PASSWORD)
            assert [one["node"] for one in shop.project.json("observe")["statements"]] == ["primary", "reports"]
            shop.watched_for("2 hours")
            assert shop.project.json("prove", "0002")["verdict"] == "clear"

            with psycopg.connect(standby.dsn("shop", user=APP, password=PASSWORD), autocommit=True) as report:
                report.execute("SELECT count(name) FROM users")
            (sign,) = shop.project.json("prove", "0002", code=1)["signs"]
            assert "role shop_app on reports names it: SELECT count(name) FROM users" in sign["because"]

        (sign,) = shop.project.json("prove", "0002", code=1)["signs"]
        assert sign["verdict"] == "inconclusive"
        assert "reports: it can't be reached" in sign["because"]
        del shop.project.variables["REPORTS"]
        (sign,) = shop.project.json("prove", "0002", code=1)["signs"]
        assert "REPORTS, which is to have its address, isn't set" in sign["because"]
