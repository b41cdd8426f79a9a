-- The ledger, version 1. Everything is in schema ec, so Alembic's autogenerate doesn't see it.
CREATE SCHEMA ec;
COMMENT ON SCHEMA ec IS 'the ledger of expandcontract: releases, colours, steps, backfills and what happened';

CREATE TABLE ec.ledger (
    version      int PRIMARY KEY,
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    installed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ec.ledger IS 'one row per version of the ledger that was installed; the id tells databases apart';

CREATE TABLE ec.database (
    number   int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system   text,
    oid      bigint NOT NULL,
    since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    timeline int
);
COMMENT ON TABLE ec.database IS 'the databases in which this ledger was at home; in any other it is a copy, until somebody adopts it';
COMMENT ON COLUMN ec.database.system IS 'the cluster''s system_identifier; null where the role could not see it';
COMMENT ON COLUMN ec.database.timeline IS 'of the primary when who has the traffic was last recorded; a promoted standby is on a later one';

CREATE TABLE ec.release (
    tag          text PRIMARY KEY,
    last_traffic timestamptz,
    has_models   boolean NOT NULL DEFAULT false,
    recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN ec.release.last_traffic IS 'when it was last recorded with traffic; null if it never had any';

CREATE TABLE ec.shipped (
    release        text NOT NULL REFERENCES ec.release,
    revision       text NOT NULL,
    needs_backfill boolean NOT NULL,
    PRIMARY KEY (release, revision)
);
COMMENT ON COLUMN ec.release.has_models IS 'whether it is known what its models declare';

CREATE TABLE ec.declared (
    release  text NOT NULL REFERENCES ec.release,
    schema   text,
    relation text NOT NULL,
    columns  text[] NOT NULL
);
CREATE INDEX ON ec.declared (relation);
COMMENT ON TABLE ec.declared IS 'the tables and columns that each release''s models declare, and so name in their statements';
COMMENT ON COLUMN ec.declared.schema IS 'null where the models name none';

CREATE TABLE ec.removed (
    revision text NOT NULL,
    schema   text,
    relation text NOT NULL,
    "column" text
);
COMMENT ON TABLE ec.removed IS 'the tables and columns that contracts have removed: a release whose models declare one can''t come back';
COMMENT ON COLUMN ec.removed.schema IS 'null where the contract names none';
COMMENT ON COLUMN ec.removed."column" IS 'null for the table as a whole';

COMMENT ON TABLE ec.shipped IS 'the revisions in each release''s tree, and whether it must wait for their backfill';

CREATE TABLE ec.colour (
    name    text PRIMARY KEY,
    release text NOT NULL REFERENCES ec.release,
    weight  int NOT NULL DEFAULT 0 CHECK (weight BETWEEN 0 AND 100)
);

CREATE TABLE ec.observation (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    looks    int NOT NULL DEFAULT 1,
    is_known boolean NOT NULL,
    said     text NOT NULL
);
COMMENT ON TABLE ec.observation IS 'when the colour sources were asked: a row for each stretch in which one look followed the other closely';
COMMENT ON COLUMN ec.observation.is_known IS 'they said who had the traffic; what changed in it is an event';
COMMENT ON COLUMN ec.observation.said IS 'their last words in this stretch';

CREATE TABLE ec.statement_series (
    node     text PRIMARY KEY,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    because  text,
    reset_at timestamptz,
    evicted  bigint NOT NULL
);
COMMENT ON TABLE ec.statement_series IS 'since when the samples of pg_stat_statements tell of every call, for the primary and each replica';
COMMENT ON COLUMN ec.statement_series.because IS 'why the samples before it don''t count';
COMMENT ON COLUMN ec.statement_series.evicted IS 'how many times room was made for other entries (dealloc)';

CREATE TABLE ec.statement (
    node     text NOT NULL,
    role     text NOT NULL,
    query_id bigint NOT NULL,
    toplevel boolean NOT NULL,
    calls    bigint NOT NULL,
    query    text NOT NULL,
    grew_at  timestamptz,
    PRIMARY KEY (node, role, query_id, toplevel)
) WITH (fillfactor = 70);
COMMENT ON TABLE ec.statement IS 'the entries of pg_stat_statements as the last sample had them';
COMMENT ON COLUMN ec.statement.grew_at IS 'the last sample that found more calls than the one before it';

CREATE TABLE ec.tombstone (
    revision text NOT NULL,
    schema   text NOT NULL,
    relation text NOT NULL,
    columns  text[] NOT NULL,
    since    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (schema, relation)
);
COMMENT ON TABLE ec.tombstone IS 'tables and columns that were taken from the application before their contract drops them';
COMMENT ON COLUMN ec.tombstone.columns IS 'empty for the table as a whole';

CREATE TABLE ec.tombstone_grant (
    schema       text NOT NULL,
    relation     text NOT NULL,
    grantee      text,
    privilege    text NOT NULL,
    "column"     text,
    is_grantable boolean NOT NULL,
    FOREIGN KEY (schema, relation) REFERENCES ec.tombstone ON DELETE CASCADE
);
COMMENT ON TABLE ec.tombstone_grant IS 'the privileges as they were before, to be granted again';
COMMENT ON COLUMN ec.tombstone_grant.grantee IS 'null for PUBLIC';
COMMENT ON COLUMN ec.tombstone_grant."column" IS 'null for the table as a whole';

CREATE TABLE ec.step (
    revision    text NOT NULL,
    phase       text NOT NULL CHECK (phase IN ('expand', 'backfill', 'contract')),
    state       text NOT NULL CHECK (state IN ('pending', 'started', 'failed', 'done')),
    title       text NOT NULL,
    parts_done  int NOT NULL DEFAULT 0,
    outside     boolean NOT NULL DEFAULT false,
    writers     text,
    error       text,
    failed_at   timestamptz,
    started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    number      bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (revision, phase)
);
COMMENT ON COLUMN ec.step.writers IS 'for a backfill without a Sync: the change whose code keeps its rows right';
COMMENT ON COLUMN ec.step.failed_at IS 'when it ran into the error that it has';
COMMENT ON COLUMN ec.step.outside IS 'recorded as done because plain alembic had applied it';
COMMENT ON COLUMN ec.step.number IS 'the order in which the steps began, which no clock can turn round';

CREATE TABLE ec.meaning (
    revision text NOT NULL,
    phase    text NOT NULL CHECK (phase IN ('expand', 'backfill', 'contract')),
    parts    text[] NOT NULL,
    PRIMARY KEY (revision, phase)
);
COMMENT ON TABLE ec.meaning IS 'what a step meant when it ran, or a contract when it began to wait';
COMMENT ON COLUMN ec.meaning.parts IS 'a checksum for each part, which comments and layout don''t change';

CREATE TABLE ec.rollback_window (
    revision  text PRIMARY KEY,
    extended  double precision NOT NULL DEFAULT 0 CHECK (extended >= 0),
    closed_at timestamptz,
    person    text NOT NULL,
    reason    text
);
COMMENT ON TABLE ec.rollback_window IS 'what people decided about rollback windows; who decided what when is in the events';
COMMENT ON COLUMN ec.rollback_window.extended IS 'seconds by which it is longer than the change declares';
COMMENT ON COLUMN ec.rollback_window.closed_at IS 'closed early; whoever has had traffic since has a window again';

CREATE TABLE ec.approval (
    revision text PRIMARY KEY,
    parts    text[] NOT NULL,
    person   text NOT NULL,
    reason   text NOT NULL,
    given_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ec.approval IS 'contracts that somebody has approved; who approved what when before is in the events';
COMMENT ON COLUMN ec.approval.parts IS 'the checksum of each part for which it was given; another one voids it';

CREATE TABLE ec.backfill (
    revision       text PRIMARY KEY,
    relation       text NOT NULL,
    state          text NOT NULL DEFAULT 'running'
                   CHECK (state IN ('running', 'paused', 'cancelled', 'failed', 'complete')),
    reason         text,
    rate           int CHECK (rate > 0),
    paid_until     timestamptz NOT NULL DEFAULT '-infinity',
    not_before     timestamptz NOT NULL DEFAULT '-infinity',
    pass           int NOT NULL,
    verifies       boolean NOT NULL DEFAULT false,
    verified_from  timestamptz,
    verifier       int,
    estimated_rows bigint NOT NULL,
    root           oid NOT NULL,
    heap_bytes     bigint NOT NULL,
    index_bytes    bigint NOT NULL,
    started_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ec.backfill IS 'one row per backfill; whoever takes a range locks it, so it also keeps the shared rate';
COMMENT ON COLUMN ec.backfill.rate IS 'rows per second over all workers; null for flat out';
COMMENT ON COLUMN ec.backfill.verifies IS 'the pass writes nothing and looks whether a row is left';
COMMENT ON COLUMN ec.backfill.verified_from IS 'when the last verifying pass began: what it found holds from then on';
COMMENT ON COLUMN ec.backfill.root IS 'the table, above all its partitions';
COMMENT ON COLUMN ec.backfill.heap_bytes IS 'of the table with its partitions when the backfill began, TOAST not counted; index_bytes likewise';
COMMENT ON COLUMN ec.backfill.verifier IS 'the worker that decides, after the last range of a pass, how to go on';

CREATE TABLE ec.backfill_stretch (
    revision    text NOT NULL REFERENCES ec.backfill ON DELETE CASCADE,
    pass        int NOT NULL,
    number      int NOT NULL,
    schema      text NOT NULL,
    relation    text NOT NULL,
    key_columns text[] NOT NULL,
    key_types   text[] NOT NULL,
    last_key    text[],
    upper_key   text[],
    turns       int NOT NULL DEFAULT 1,
    verifies    boolean NOT NULL DEFAULT false,
    PRIMARY KEY (revision, pass, number)
);
COMMENT ON TABLE ec.backfill_stretch IS 'what a pass walks along: the table, or each of its partitions, by a key or by ctid';
COMMENT ON COLUMN ec.backfill_stretch.last_key IS 'the highest key when the pass began; null where there was no row';
COMMENT ON COLUMN ec.backfill_stretch.upper_key IS 'ranges up to this key have been handed out';

CREATE TABLE ec.backfill_range (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    revision     text NOT NULL,
    pass         int NOT NULL,
    stretch      int NOT NULL,
    lower_key    text[],
    upper_key    text[] NOT NULL,
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
    worker       int,
    free_from    timestamptz,
    settled      xid,
    turn         int NOT NULL DEFAULT 0,
    is_followed  boolean NOT NULL DEFAULT false,
    rows_left    bigint NOT NULL DEFAULT 0,
    attempts     int NOT NULL DEFAULT 1,
    rows_seen    bigint NOT NULL,
    rows_written bigint NOT NULL DEFAULT 0,
    rows_found   bigint,
    seconds      double precision,
    done_at      timestamptz,
    error        text,
    sqlstate     text,
    FOREIGN KEY (revision, pass, stretch) REFERENCES ec.backfill_stretch ON DELETE CASCADE
);
CREATE INDEX ON ec.backfill_range (revision, pass, stretch);
CREATE INDEX ON ec.backfill_range (revision, pass, free_from) WHERE state <> 'done';
COMMENT ON TABLE ec.backfill_range IS 'the rows above lower_key up to upper_key; it becomes done in the transaction that writes them';
COMMENT ON COLUMN ec.backfill_range.state IS 'failed: its one row can''t be filled and is set aside, with the error';
COMMENT ON COLUMN ec.backfill_range.turn IS 'of the stretch''s turns: the range has one in so many of the rows; the next turn is a range of its own';
COMMENT ON COLUMN ec.backfill_range.settled IS 'the transaction of the turn before: free earlier, as soon as nobody sees what it left behind';
COMMENT ON COLUMN ec.backfill_range.rows_left IS 'rows of the turns after this one';
COMMENT ON COLUMN ec.backfill_range.rows_found IS 'in a verifying pass: rows that need the backfill, those set aside not counted';
COMMENT ON COLUMN ec.backfill_range.worker IS 'who leases it; numbers never come again, so this is the fencing token';

CREATE TABLE ec.backfill_worker (
    number     int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    revision   text NOT NULL,
    root       oid NOT NULL,
    host       text NOT NULL,
    pid        int NOT NULL,
    backend    int NOT NULL DEFAULT pg_backend_pid(),
    started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ec.backfill_worker IS 'sessions that move rows; alive while they hold the advisory lock of their number';

CREATE TABLE ec.backfill_health (
    revision     text PRIMARY KEY REFERENCES ec.backfill ON DELETE CASCADE,
    watcher      text NOT NULL,
    leased_until timestamptz NOT NULL,
    looked_at    timestamptz,
    share        double precision NOT NULL DEFAULT 1,
    stopped_by   text[] NOT NULL DEFAULT '{}',
    reason       text,
    wal_ceiling  pg_lsn
);
COMMENT ON TABLE ec.backfill_health IS 'what the health signals leave of a backfill''s speed; one of its processes watches for all';
COMMENT ON COLUMN ec.backfill_health.looked_at IS 'the last look at the signals; workers obey one that is fresh';
COMMENT ON COLUMN ec.backfill_health.wal_ceiling IS 'no range begins while the WAL is beyond: a standby may be further behind than its limit';

CREATE TABLE ec.backfill_throttle (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    revision text NOT NULL REFERENCES ec.backfill ON DELETE CASCADE,
    about    text NOT NULL,
    kind     text NOT NULL CHECK (kind IN ('slow', 'stop')),
    reason   text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz
);
CREATE INDEX ON ec.backfill_throttle (revision, id);
COMMENT ON TABLE ec.backfill_throttle IS 'when a health signal slowed a backfill down or stopped it, and with which words it began';
COMMENT ON COLUMN ec.backfill_throttle.about IS 'the signal, and the standby, slot or alert where there can be several';

CREATE TABLE ec.event (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind     text NOT NULL,
    revision text,
    phase    text,
    role     text NOT NULL DEFAULT session_user,
    person   text NOT NULL,
    host     text NOT NULL,
    pid      int NOT NULL,
    tree     text,
    facts    jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE ec.event IS 'what happened, when, by whom, from which tree, on which facts; append-only';

CREATE FUNCTION ec.refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'ec.event is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$body$;

CREATE TRIGGER event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ec.event
    FOR EACH STATEMENT EXECUTE FUNCTION ec.refuse_to_forget();

INSERT INTO ec.ledger (version) VALUES (1);
