"""What `ec doctor` has seen, gathered by others in one go: the material of every risk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from expandcontract.domain.instance import Rival
from expandcontract.domain.ledger_writer import LedgerWriter
from expandcontract.domain.plan import PlannedStep
from expandcontract.domain.throttle import Verdict


@dataclass(frozen=True)
class Setting:
    """A setting of PostgreSQL as a new session has it: its value with its unit, and where that comes from."""

    name: str
    value: str
    source: str


@dataclass(frozen=True)
class Relation:
    """A table: its name with its schema as SQL quotes it, its bare name, and its owner."""

    name: str
    table: str
    owner: str


@dataclass(frozen=True)
class Login:
    """
    One way into the database, `ec`'s own or env.py's, and what its role may do. Names are as SQL quotes them.

    Attributes:
        way: how it is called in messages.
        role: its role.
        database: the name of the database.
        version: the server's, as ``server_version_num`` has it.
        is_superuser: rights don't bind it.
        is_standby: the server is in recovery.
        is_read_only: ``default_transaction_read_only`` is on.
        is_pooled: the session that libpq was told isn't the one that answers.
        hosts: the hosts that the address names, where it names several and not which of them is meant.
        schema: the first schema of its search path that there is.
        creates_in_schema: whether it may make tables and functions there.
        creates_schemas: whether it may make the ledger's schema.
        lacks_in_ledger: rights in schema ``ec`` that it lacks, as GRANT names them; nothing without a ledger.
        sees_others: whether it may see what other roles' sessions do.
        cancels_others: whether it may cancel them.
        settings: those that could bite, where they differ from the server's own default.
        foreign: the tables of others, which it can't alter.
    """

    way: str
    role: str
    database: str
    version: int
    is_superuser: bool
    is_standby: bool
    is_read_only: bool
    is_pooled: bool
    hosts: tuple[str, ...]
    schema: str | None
    creates_in_schema: bool
    creates_schemas: bool
    lacks_in_ledger: tuple[str, ...]
    sees_others: bool
    cancels_others: bool
    settings: tuple[Setting, ...]
    foreign: tuple[Relation, ...]


@dataclass(frozen=True)
class Holder:
    """The session that has the runner's lock; ``idle`` is how long it has done nothing, where that can be seen."""

    pid: int
    application_name: str
    client: str | None
    idle: timedelta | None


@dataclass(frozen=True)
class OpenTransaction:
    """A transaction of any session, or a prepared one (then ``gid`` is set), and how long it has been open."""

    who: str
    age: timedelta
    gid: str | None = None
    pid: int | None = None


@dataclass(frozen=True)
class InvalidIndex:
    """An INVALID index that nobody builds just now; ``enforces``: it keeps duplicates out all the same."""

    name: str
    table: str
    enforces: bool


@dataclass(frozen=True)
class Server:
    """
    What the server and the database are like.

    Attributes:
        health: what the health signals say that are about the server, with the limits configured for backfills.
        due: tables whose transaction ids are older than autovacuum waits: it freezes them, and gives way to nobody.
        idle_slots: physical replication slots that nobody uses, with the bytes of WAL that each keeps.
        waits_for: ``synchronous_standby_names``, where commits wait for them and none is connected.
        has_statement_statistics: whether ``pg_stat_statements`` is loaded, and made in this database.
        autovacuum: whether it is on.
        deadlock_timeout: before it autovacuum gives way to nobody.
    """

    health: tuple[Verdict, ...]
    due: tuple[str, ...]
    idle_slots: tuple[tuple[str, int], ...]
    waits_for: str | None
    has_statement_statistics: bool
    autovacuum: bool
    deadlock_timeout: timedelta


@dataclass(frozen=True)
class Content:
    """
    What the database holds and who is at work in it.

    Attributes:
        keyless: tables without a key.
        invalid: INVALID indexes.
        transactions: the oldest ones.
        holder: who has the runner's lock.
        ledger_writers: who may write the ledger and has no business to.
        same_role: applications whose sessions have the role of `ec`.
    """

    keyless: tuple[str, ...]
    invalid: tuple[InvalidIndex, ...]
    transactions: tuple[OpenTransaction, ...]
    holder: Holder | None
    ledger_writers: tuple[LedgerWriter, ...]
    same_role: tuple[str, ...]


@dataclass(frozen=True)
class Filling:
    """A backfill that has begun and isn't complete; ``workers`` are those alive."""

    revision: str
    state: str
    reason: str | None
    set_aside: int
    workers: int


@dataclass(frozen=True)
class Trouble:
    """Why the project, its env.py or its ledger can't be used, in the words of the error; ``about`` is which."""

    about: str
    because: str
    remedy: str


@dataclass(frozen=True)
class Limits:
    """What of the configuration a risk is measured by."""

    lock_timeout: timedelta
    lock_budget: timedelta
    cancels_blockers: bool = False


@dataclass(frozen=True)
class Seen:
    """
    Everything, as far as it could be seen: a part that couldn't is None or empty.

    ``steps`` are those of this tree with the gate's answers, ``errors`` what a failed step said;
    ``rival`` is what other servers of the system say against this one.
    """

    limits: Limits
    logins: tuple[Login, ...] = ()
    server: Server | None = None
    content: Content | None = None
    troubles: tuple[Trouble, ...] = ()
    steps: tuple[PlannedStep, ...] = ()
    errors: tuple[tuple[str, str], ...] = ()  # the step's name and the server's words
    fillings: tuple[Filling, ...] = ()
    probe_trouble: str | None = None  # the role for which statements are to be planned, and why it is no good for it
    rival: Rival | None = None
