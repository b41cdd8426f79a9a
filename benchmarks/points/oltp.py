"""
A load of short reads and updates, in a process of its own: ``python oltp.py DSN ROWS SECONDS`` prints each one's ms.

Requests come at fixed times, whoever is late: one that stalls delays those behind it, and their wait counts.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time

import psycopg

_CLIENTS, _PER_SECOND = 4, 100


def main() -> None:
    """Four clients, a hundred requests a second each."""
    dsn, rows, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    waits: list[float] = []
    clients = [threading.Thread(target=_client, args=(dsn, rows, seconds, waits, seed)) for seed in range(_CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    json.dump(waits, sys.stdout)


def _client(dsn: str, rows: int, seconds: float, waits: list[float], seed: int) -> None:
    luck = random.Random(seed)
    with psycopg.connect(dsn, autocommit=True) as connection:
        began = time.monotonic() + seed / _CLIENTS / _PER_SECOND
        for number in range(round(seconds * _PER_SECOND)):
            due = began + number / _PER_SECOND
            time.sleep(max(0.0, due - time.monotonic()))
            key = [luck.randint(1, rows)]
            if number % 2:
                connection.execute("SELECT * FROM people WHERE id = %s", key).fetchall()
            else:
                connection.execute("UPDATE people SET visits = visits + 1 WHERE id = %s", key)
            waits.append(1000 * (time.monotonic() - due))


if __name__ == "__main__":
    main()
