-- backfills: each backfill with what its ranges add up to; locks nothing
SELECT b.revision, b.relation, b.state, b.reason, b.rate, filled.passes, b.verifies, b.estimated_rows, b.started_at,
       COALESCE(now_done.ranges, 0), COALESCE(now_done.seen, 0), COALESCE(ever.written, 0), COALESCE(ever.failed, 0),
       h.share, h.stopped_by <> '{}', h.reason
  FROM ec.backfill b
  LEFT JOIN ec.backfill_health h ON h.revision = b.revision AND b.state = 'running'
       AND h.looked_at > pg_catalog.clock_timestamp() - interval '15 s'
 CROSS JOIN LATERAL (
    SELECT GREATEST(pg_catalog.count(DISTINCT s.pass), 1) AS passes
      FROM ec.backfill_stretch s WHERE s.revision = b.revision AND NOT s.verifies) filled
  LEFT JOIN LATERAL (
    SELECT pg_catalog.count(*) AS ranges, pg_catalog.sum(r.rows_seen)::bigint AS seen
      FROM ec.backfill_range r WHERE r.revision = b.revision AND r.pass = b.pass AND r.state = 'done') now_done ON true
  LEFT JOIN LATERAL (
    SELECT pg_catalog.sum(r.rows_written)::bigint AS written, pg_catalog.count(*) FILTER (WHERE r.state = 'failed') AS failed
      FROM ec.backfill_range r WHERE r.revision = b.revision) ever ON true
 WHERE CAST(%(revision)s AS text) IS NULL OR b.revision = %(revision)s;

-- growth: heap and indexes of a backfill's table, in bytes: when it began and now; no row where the table is gone
WITH RECURSIVE member AS (
  SELECT root AS oid FROM ec.backfill WHERE revision = %(revision)s
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid
)
SELECT b.heap_bytes, b.index_bytes, pg_catalog.sum(pg_catalog.pg_relation_size(c.oid))::bigint, pg_catalog.sum(pg_catalog.pg_indexes_size(c.oid))::bigint
  FROM ec.backfill b, member m JOIN pg_catalog.pg_class c ON c.oid = m.oid
 WHERE b.revision = %(revision)s
 GROUP BY b.revision;

-- lock_joining: until this transaction ends nobody else joins or begins a backfill of the table
SELECT pg_catalog.pg_advisory_xact_lock(%(namespace)s, pg_catalog.hashint4(%(root)s::int8::oid::int4));

-- keep_from_joining: the same until the connection closes
SELECT pg_catalog.pg_advisory_lock(%(namespace)s, pg_catalog.hashint4(%(root)s::int8::oid::int4));

-- root: the table that a partition belongs to, or the table itself
SELECT COALESCE(pg_catalog.pg_partition_root(c.oid), c.oid)::int8 FROM pg_catalog.pg_class c
 WHERE c.oid = pg_catalog.to_regclass(%(table)s);

-- bury: forget workers whose session has ended
DELETE FROM ec.backfill_worker w WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_locks l
   WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = w.number
     AND l.objsubid = 2 AND l.granted
     AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()));

-- workers: who is alive and moves rows of a table, or for a backfill
SELECT number, revision, host, pid, backend, started_at FROM ec.backfill_worker w
 WHERE (root = CAST(%(root)s AS int8)::oid OR revision = %(revision)s)
   AND EXISTS (
     SELECT FROM pg_catalog.pg_locks l
      WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = w.number
        AND l.objsubid = 2 AND l.granted
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
 ORDER BY number;

-- lock_backfill: one at a time takes a range, changes the state or begins a pass
SELECT b.state, b.reason, b.rate, b.pass, b.verifies, b.verifier, h.share, h.stopped_by <> '{}', h.reason,
       CASE WHEN h.wal_ceiling IS NOT NULL THEN pg_catalog.pg_current_wal_lsn() >= h.wal_ceiling ELSE false END
  FROM ec.backfill b
  LEFT JOIN ec.backfill_health h ON h.revision = b.revision AND h.looked_at > pg_catalog.clock_timestamp() - interval '15 s'
 WHERE b.revision = %(revision)s FOR UPDATE OF b;

-- put_backfill: a backfill that begins, or begins again
WITH RECURSIVE member AS (
  SELECT CAST(%(root)s AS int8)::oid AS oid
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid
)
INSERT INTO ec.backfill (revision, relation, rate, pass, estimated_rows, root, heap_bytes, index_bytes)
SELECT %(revision)s, %(relation)s, CAST(%(rate)s AS int), 1, %(estimated_rows)s, CAST(%(root)s AS int8)::oid,
       pg_catalog.sum(pg_catalog.pg_relation_size(oid)), pg_catalog.sum(pg_catalog.pg_indexes_size(oid)) FROM member
ON CONFLICT (revision) DO UPDATE
   SET relation = EXCLUDED.relation, root = EXCLUDED.root, heap_bytes = EXCLUDED.heap_bytes, index_bytes = EXCLUDED.index_bytes,
       rate = EXCLUDED.rate, pass = 1, verifies = false, estimated_rows = EXCLUDED.estimated_rows, verifier = NULL,
       state = 'running', reason = NULL, started_at = pg_catalog.clock_timestamp();

-- put_pass: the next pass begins
UPDATE ec.backfill
   SET pass = %(pass)s, verifies = %(verifies)s, verifier = NULL, estimated_rows = %(estimated_rows)s,
       verified_from = CASE WHEN %(verifies)s THEN pg_catalog.clock_timestamp() ELSE verified_from END
 WHERE revision = %(revision)s;

-- put_state: what the backfill is told to do, and why; a pause isn't caught up
UPDATE ec.backfill SET state = %(state)s, reason = %(reason)s, verifier = NULL, paid_until = '-infinity'
 WHERE revision = %(revision)s;

-- put_rate: rows per second over all workers, from the next range on
UPDATE ec.backfill SET rate = %(rate)s, paid_until = '-infinity', not_before = '-infinity' WHERE revision = %(revision)s;

-- drop_stretches: what a backfill has done, before it begins again; its ranges go with them
DELETE FROM ec.backfill_stretch WHERE revision = %(revision)s;

-- drop_throttles: what slowed it down, before it begins again
DELETE FROM ec.backfill_throttle WHERE revision = %(revision)s;

-- drop_failures: rows set aside by earlier passes; the new one will come to them again
DELETE FROM ec.backfill_range WHERE revision = %(revision)s AND state = 'failed';

-- put_stretch: what the pass walks along
INSERT INTO ec.backfill_stretch (revision, pass, number, schema, relation, key_columns, key_types, last_key, turns, verifies)
VALUES (%(revision)s, %(pass)s, %(number)s, %(schema)s, %(relation)s, %(key_columns)s, %(key_types)s, %(last_key)s, %(turns)s, %(verifies)s);

-- stretches: what the pass walks along
SELECT number, schema, relation, key_columns, key_types, last_key, upper_key, turns FROM ec.backfill_stretch
 WHERE revision = %(revision)s AND pass = %(pass)s ORDER BY number;

-- next_stretch: the first stretch of which ranges are still to be handed out; after `lock_backfill`
SELECT number, schema, relation, key_columns, key_types, last_key, upper_key, turns FROM ec.backfill_stretch
 WHERE revision = %(revision)s AND pass = %(pass)s AND last_key IS NOT NULL AND upper_key IS DISTINCT FROM last_key
 ORDER BY number LIMIT 1;

-- failures: the rows set aside, by table and key
SELECT s.schema, s.relation, s.key_columns, s.key_types, r.upper_key, r.error, r.sqlstate, r.done_at
  FROM ec.backfill_range r
  JOIN ec.backfill_stretch s ON s.revision = r.revision AND s.pass = r.pass AND s.number = r.stretch
 WHERE r.revision = %(revision)s AND r.state = 'failed'
 ORDER BY r.id;

-- set_aside_by_backfill: how many rows each backfill has set aside
SELECT revision, pg_catalog.count(*) FROM ec.backfill_range WHERE state = 'failed' GROUP BY revision;

-- back_to_filling: the pass that filled last goes on; the look that came after it is forgotten, and comes again
WITH looked AS (DELETE FROM ec.backfill_stretch WHERE revision = %(revision)s AND verifies)
UPDATE ec.backfill b
   SET pass = (SELECT pg_catalog.max(s.pass) FROM ec.backfill_stretch s WHERE s.revision = b.revision AND NOT s.verifies),
       verifies = false, verifier = NULL
 WHERE b.revision = %(revision)s AND b.verifies;

-- retry: rows set aside are tried again
UPDATE ec.backfill_range SET state = 'open', worker = NULL, free_from = pg_catalog.clock_timestamp(), attempts = 0, error = NULL, sqlstate = NULL
 WHERE revision = %(revision)s AND state = 'failed'
RETURNING id;

-- slices: what the filling passes did in each slice of time since a moment: rows, ranges, and how long a range took, in
-- the middle and at most
SELECT pg_catalog.floor(extract(epoch FROM r.done_at - CAST(%(since)s AS timestamptz)) / CAST(%(width)s AS float8))::int8,
       pg_catalog.sum(r.rows_seen)::int8, pg_catalog.count(*), pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY r.seconds), pg_catalog.max(r.seconds)
  FROM ec.backfill_range r
  JOIN ec.backfill_stretch s ON s.revision = r.revision AND s.pass = r.pass AND s.number = r.stretch AND NOT s.verifies
 WHERE r.revision = %(revision)s AND r.state = 'done' AND r.done_at >= %(since)s AND r.seconds IS NOT NULL
 GROUP BY 1 ORDER BY 1;

-- open_ranges: how many ranges aren't finished
SELECT pg_catalog.count(*) FROM ec.backfill_range WHERE revision = %(revision)s AND pass = %(pass)s AND state = 'open';

-- last_done: when a range was done last
SELECT pg_catalog.max(done_at) FROM ec.backfill_range WHERE revision = %(revision)s AND state = 'done';

-- forgive: attempts in vain are counted anew
UPDATE ec.backfill_range SET attempts = 0 WHERE revision = %(revision)s AND state = 'open' AND attempts > 0;

-- found: how many rows a verifying pass found that need the backfill
SELECT COALESCE(pg_catalog.sum(rows_found), 0)::bigint FROM ec.backfill_range WHERE revision = %(revision)s AND pass = %(pass)s;

-- verified_from: from when on each backfill has been verified
SELECT revision, verified_from FROM ec.backfill WHERE verified_from IS NOT NULL;

-- written_by_pass: how many rows each filling pass wrote, the first pass first
SELECT s.pass, COALESCE(pg_catalog.sum(r.rows_written), 0)::bigint
  FROM (SELECT DISTINCT revision, pass FROM ec.backfill_stretch WHERE revision = %(revision)s AND NOT verifies) s
  LEFT JOIN ec.backfill_range r ON r.revision = s.revision AND r.pass = s.pass
 GROUP BY s.pass ORDER BY s.pass;
