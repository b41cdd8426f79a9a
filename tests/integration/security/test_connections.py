"""What is set on the connections of `ec` itself."""

from __future__ import annotations

import socket

from expandcontract.database.address import address_from_text
from expandcontract.database.connect import connect
from tests.fixtures.servers import Database, with_parameters


def test_both_ends_of_a_connection_find_out_that_the_other_is_gone(each_database: Database) -> None:
    """As the kernels on both sides have it: what the server shows it has asked its own."""
    with connect(address_from_text(each_database.dsn, origin="test"), application_name="ec:test") as connection:
        names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
        theirs = [connection.execute(f"SHOW {name}".encode()).fetchone() for name in names]
        with socket.socket(fileno=socket.dup(connection.fileno())) as ours:
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            mine = [ours.getsockopt(socket.IPPROTO_TCP, option) for option in options]

    assert theirs == [("10",), ("5",), ("4",), ("30000",)]
    assert mine == [10, 5, 4, 30_000]


def test_what_the_address_says_of_keepalives_holds(database: Database) -> None:
    address = address_from_text(with_parameters(database.dsn, keepalives_idle="77"), origin="test")
    with (
        connect(address, application_name="ec:test") as connection,
        socket.socket(fileno=socket.dup(connection.fileno())) as ours,
    ):
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
