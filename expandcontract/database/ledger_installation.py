"""Whether the ledger is there, in which version, and who may write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from expandcontract.database.executor import Executor, PsycopgExecutor
from expandcontract.database.queries import queries, script
from expandcontract.domain.identity import Identity
from expandcontract.domain.ledger_writer import LedgerWriter
from expandcontract.errors import ConfigurationError

VERSION = 1
_INSTALL_LOCK = 0x65630002


def install(connection: psycopg.Connection[Any]) -> bool:
    """
    Create or upgrade the ledger; whether anything had to be done. The connection must be in autocommit mode.

    Raises:
        ConfigurationError: a newer `ec` has upgraded the ledger beyond what this one knows.
    """
    with connection.transaction():
        connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [_INSTALL_LOCK])
        installed = installed_version(PsycopgExecutor(connection))
        for version in range(installed + 1, VERSION + 1):
            connection.execute(script(f"ledger_{version}").encode())
        _be_at_home(PsycopgExecutor(connection))
    return installed < VERSION


def install_within(run: Callable[[str], object], executor: Executor) -> None:
    """
    Create or upgrade the ledger in a transaction that somebody else commits.

    Args:
        run: runs one statement of any kind, without parameters.
        executor: reads in that transaction.

    Raises:
        ConfigurationError: as for `install`.
    """
    for version in range(installed_version(executor) + 1, VERSION + 1):
        # one statement, for there are drivers that take no more at a time
        run(f"DO $ec_install$ BEGIN EXECUTE $ec_script$ {script(f'ledger_{version}')} $ec_script$; END $ec_install$")


def _be_at_home(executor: Executor) -> None:
    """A ledger that doesn't know its database yet takes this one for it."""
    if not executor.rows(queries("ledger")["known_database"]):
        here = identity_of(executor)
        executor.rows(queries("ledger")["put_database"], {"system": here.system, "oid": here.oid})


def identity_of(executor: Executor) -> Identity:
    """Which database this is, as far as the role may see it."""
    sees = executor.rows(queries("ledger")["sees_system"])[0][0]
    system = executor.rows(queries("ledger")["system"])[0][0] if sees else None
    return Identity(system, executor.rows(queries("ledger")["database"])[0][0])


def installed_version(executor: Executor) -> int:
    """
    The installed version of the ledger; 0 where there is none.

    Raises:
        ConfigurationError: it is newer than this `ec`.
    """
    if not executor.rows(queries("ledger")["exists"])[0][0]:
        return 0
    version = int(executor.rows(queries("ledger")["version"])[0][0])
    if version > VERSION:
        raise ConfigurationError(
            f"the ledger has version {version}, and this ec knows only {VERSION}",
            because="a newer ec has upgraded it",
            next_command="pip install --upgrade expandcontract",
        )
    return version


def writers(executor: Executor, spared: Sequence[str]) -> tuple[LedgerWriter, ...]:
    """
    Who may write the ledger beside us, superusers, its owner and whoever may become that.

    Args:
        executor: reads.
        spared: names of roles that run `ec` as well.
    """
    rows = executor.rows(queries("ledger")["writers"], {"spared": list(spared)})
    return tuple(LedgerWriter(role, tuple(tables)) for role, tables in rows)
