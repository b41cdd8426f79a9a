-- backfills: each backfill with what its ranges add up to; locks nothing
SELECT b.revision, b.relation, b.state, b.reason, b.rate, filled.passes, b.verifies, b.estimated_rows, b.started_at,
       COALESCE(now_done.ranges, 0), COALESCE(now_done.seen, 0), COALESCE(ever.written, 0), COALESCE(ever.failed, 0),
       h.share, h.stopped_by <> '{}', h.reason
  FROM ec.backfill b
  LEFT JOIN ec.backfill_health h ON h.revision = b.revision AND b.state = 'running'
       AND h.looked_at > clock_timestamp() - interval '15 s'
 CROSS JOIN LATERAL (
    SELECT GREATEST(count(DISTINCT s.pass), 1) AS passes
      FROM ec.backfill_stretch s WHERE s.revision = b.revision AND NOT s.verifies) filled
  LEFT JOIN LATERAL (
    SELECT count(*) AS ranges, sum(r.rows_seen)::bigint AS seen
      FROM ec.backfill_range r WHERE r.revision = b.revision AND r.pass = b.pass AND r.state = 'done') now_done ON true
  LEFT JOIN LATERAL (
    SELECT sum(r.rows_written)::bigint AS written, count(*) FILTER (WHERE r.state = 'failed') AS failed
      FROM ec.backfill_range r WHERE r.revision = b.revision) ever ON true
 WHERE CAST(%(revision)s AS text) IS NULL OR b.revision = %(revision)s;

-- growth: heap and indexes of a backfill's table, in bytes: when it began and now; no row where the table is gone
WITH RECURSIVE member AS (
  SELECT root AS oid FROM ec.backfill WHERE revision = %(revision)s
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid
)
SELECT b.heap_bytes, b.index_bytes, sum(pg_catalog.pg_relation_size(c.oid))::bigint, sum(pg_catalog.pg_indexes_size(c.oid))::bigint
  FROM ec.backfill b, member m JOIN pg_catalog.pg_class c ON c.oid = m.oid
 WHERE b.revision = %(revision)s
 GROUP BY b.revision;

-- lock_joining: until this transaction ends nobody else joins or begins a backfill of the table
SELECT pg_catalog.pg_advisory_xact_lock(%(namespace)s, hashint4(%(root)s::int8::oid::int4));

-- keep_from_joining: the same until the connection closes
SELECT pg_catalog.pg_advisory_lock(%(namespace)s, hashint4(%(root)s::int8::oid::int4));

-- root: the table that a partition belongs to, or the table itself
SELECT COALESCE(pg_catalog.pg_partition_root(c.oid), c.oid)::int8 FROM pg_catalog.pg_class c
 WHERE c.oid = to_regclass(%(table)s);

-- bury: forget workers whose session has ended
DELETE FROM ec.backfill_worker w WHERE NOT EXISTS (
  SELECT FROM pg_catalog.pg_locks l
   WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = w.number
     AND l.objsubid = 2 AND l.granted
     AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()));

-- workers: who is alive and moves rows of a table, or for a backfill
SELECT number, revision, host, pid, backend, started_at FROM ec.backfill_worker w
 WHERE (root = CAST(%(root)s AS int8)::oid OR revision = %(revision)s)
   AND EXISTS (
     SELECT FROM pg_catalog.pg_locks l
      WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = w.number
        AND l.objsubid = 2 AND l.granted
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
 ORDER BY number;

-- put_worker: a session that begins to move rows; it holds its advisory lock until it ends
INSERT INTO ec.backfill_worker (revision, root, host, pid)
VALUES (%(revision)s, CAST(%(root)s AS int8)::oid, %(host)s, %(pid)s)
RETURNING number, pg_catalog.pg_advisory_lock(%(namespace)s, number) IS NULL;

-- drop_worker: a session that ends by itself
DELETE FROM ec.backfill_worker WHERE number = %(worker)s;

-- lock_backfill: one at a time takes a range, changes the state or begins a pass
SELECT b.state, b.reason, b.rate, b.pass, b.verifies, b.verifier, h.share, h.stopped_by <> '{}', h.reason,
       CASE WHEN h.wal_ceiling IS NOT NULL THEN pg_catalog.pg_current_wal_lsn() >= h.wal_ceiling ELSE false END
  FROM ec.backfill b
  LEFT JOIN ec.backfill_health h ON h.revision = b.revision AND h.looked_at > clock_timestamp() - interval '15 s'
 WHERE b.revision = %(revision)s FOR UPDATE OF b;

-- bucket: what the shared rate has given out, and the clock; after `lock_backfill`
SELECT extract(epoch FROM GREATEST(paid_until, '2000-01-01'::timestamptz))::float8,
       extract(epoch FROM GREATEST(not_before, '2000-01-01'::timestamptz))::float8,
       extract(epoch FROM clock_timestamp())::float8
  FROM ec.backfill WHERE revision = %(revision)s;

-- put_bucket: rows that the shared rate has given out
UPDATE ec.backfill SET paid_until = to_timestamp(%(paid_until)s), not_before = to_timestamp(%(not_before)s)
 WHERE revision = %(revision)s;

-- put_backfill: a backfill that begins, or begins again
WITH RECURSIVE member AS (
  SELECT CAST(%(root)s AS int8)::oid AS oid
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid
)
INSERT INTO ec.backfill (revision, relation, rate, pass, estimated_rows, root, heap_bytes, index_bytes)
SELECT %(revision)s, %(relation)s, CAST(%(rate)s AS int), 1, %(estimated_rows)s, CAST(%(root)s AS int8)::oid,
       sum(pg_catalog.pg_relation_size(oid)), sum(pg_catalog.pg_indexes_size(oid)) FROM member
ON CONFLICT (revision) DO UPDATE
   SET relation = EXCLUDED.relation, root = EXCLUDED.root, heap_bytes = EXCLUDED.heap_bytes, index_bytes = EXCLUDED.index_bytes,
       rate = EXCLUDED.rate, pass = 1, verifies = false, estimated_rows = EXCLUDED.estimated_rows, verifier = NULL,
       state = 'running', reason = NULL, started_at = clock_timestamp();

-- put_pass: the next pass begins
UPDATE ec.backfill
   SET pass = %(pass)s, verifies = %(verifies)s, verifier = NULL, estimated_rows = %(estimated_rows)s,
       verified_from = CASE WHEN %(verifies)s THEN clock_timestamp() ELSE verified_from END
 WHERE revision = %(revision)s;

-- put_state: what the backfill is told to do, and why; a pause isn't caught up
UPDATE ec.backfill SET state = %(state)s, reason = %(reason)s, verifier = NULL, paid_until = '-infinity'
 WHERE revision = %(revision)s;

-- put_rate: rows per second over all workers, from the next range on
UPDATE ec.backfill SET rate = %(rate)s, paid_until = '-infinity', not_before = '-infinity' WHERE revision = %(revision)s;

-- put_verifier: who decides how to go on after a pass
UPDATE ec.backfill SET verifier = %(worker)s WHERE revision = %(revision)s;

-- verifier_lives: whether the session of that worker hasn't ended
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_locks l
   WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = %(worker)s
     AND l.objsubid = 2 AND l.granted
     AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()));

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

-- hand_out: ranges of the stretch up to this key have been handed out
UPDATE ec.backfill_stretch SET upper_key = %(upper_key)s
 WHERE revision = %(revision)s AND pass = %(pass)s AND number = %(stretch)s;

-- close_stretch: its table is gone, and its rows with it
WITH closed AS (
  UPDATE ec.backfill_stretch SET upper_key = last_key
   WHERE revision = %(revision)s AND pass = %(pass)s AND number = %(stretch)s)
DELETE FROM ec.backfill_range
 WHERE revision = %(revision)s AND pass = %(pass)s AND stretch = %(stretch)s AND state <> 'done';

-- put_range: a range, leased to a worker or (without one) for anybody
INSERT INTO ec.backfill_range (revision, pass, stretch, lower_key, upper_key, turn, worker, free_from, rows_seen, rows_left, attempts)
VALUES (%(revision)s, %(pass)s, %(stretch)s, %(lower_key)s, %(upper_key)s, %(turn)s, %(worker)s,
        clock_timestamp() + make_interval(secs => %(lease)s), %(rows)s, %(rows_left)s, %(attempts)s)
RETURNING id;

-- take_free: the first range that nobody leases; one whose transaction is still open isn't free whatever its lease says
UPDATE ec.backfill_range
   SET worker = %(worker)s, attempts = attempts + 1, settled = NULL, free_from = clock_timestamp() + make_interval(secs => %(lease)s)
 WHERE id = (
   SELECT id FROM ec.backfill_range
    WHERE revision = %(revision)s AND pass = %(pass)s AND state = 'open'
      AND (free_from <= clock_timestamp() OR settled IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_stat_activity a WHERE age(a.backend_xmin) >= age(settled) AND a.pid <> pg_backend_pid()))
    ORDER BY free_from LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, stretch, lower_key, upper_key, rows_seen, attempts, turn, rows_left;

-- free_orphans: the ranges of workers whose session has ended are free at once
UPDATE ec.backfill_range SET worker = NULL, free_from = clock_timestamp()
 WHERE id IN (
   SELECT r.id FROM ec.backfill_range r
    WHERE r.revision = %(revision)s AND r.pass = %(pass)s AND r.state = 'open' AND r.worker IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_locks l
         WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = r.worker
           AND l.objsubid = 2 AND l.granted
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
    FOR UPDATE SKIP LOCKED)
RETURNING id;

-- lease_more: the wait until the range may start is no part of its lease
UPDATE ec.backfill_range SET free_from = clock_timestamp() + make_interval(secs => %(lease)s)
 WHERE id = %(id)s AND worker = %(worker)s;

-- open_ranges: how many ranges aren't finished
SELECT count(*) FROM ec.backfill_range WHERE revision = %(revision)s AND pass = %(pass)s AND state = 'open';

-- hold_range: nobody takes the range over until this transaction ends; no row where somebody has
SELECT id FROM ec.backfill_range WHERE id = %(id)s AND worker = %(worker)s AND state = 'open' FOR UPDATE;

-- finish_range: in the transaction that wrote its rows
UPDATE ec.backfill_range
   SET state = 'done', rows_seen = COALESCE(%(seen)s, rows_seen), rows_written = %(written)s, rows_found = %(found)s, seconds = %(seconds)s, done_at = clock_timestamp()
 WHERE id = %(id)s AND worker = %(worker)s AND state = 'open'
RETURNING id;

-- follow: the next turn over the range's span, once; what this one leaves behind can be cleared away soon, or never
WITH range AS (
  UPDATE ec.backfill_range r SET is_followed = true
    FROM ec.backfill_stretch s
   WHERE r.id = %(id)s AND NOT r.is_followed AND s.revision = r.revision AND s.pass = r.pass AND s.number = r.stretch
     AND r.turn + 1 < s.turns
  RETURNING r.revision, r.pass, r.stretch, r.lower_key, r.upper_key, r.turn + 1 AS turn, r.rows_left,
            r.rows_left / (s.turns - r.turn - 1) AS rows)
INSERT INTO ec.backfill_range (revision, pass, stretch, lower_key, upper_key, turn, free_from, settled, rows_seen, rows_left, attempts)
SELECT revision, pass, stretch, lower_key, upper_key, turn, clock_timestamp() + make_interval(secs => %(patience)s),
       pg_current_xact_id()::xid, rows, rows_left - rows, 0
  FROM range;

-- free_range: somebody may try it again after a while
UPDATE ec.backfill_range SET worker = NULL, free_from = clock_timestamp() + make_interval(secs => %(after)s)
 WHERE id = %(id)s AND worker = %(worker)s AND state = 'open';

-- shrink_range: it ends earlier; the rest becomes a range of its own
UPDATE ec.backfill_range SET upper_key = %(upper_key)s, rows_seen = %(rows)s, rows_left = %(rows_left)s WHERE id = %(id)s;

-- set_aside: the one row of the range can't be filled
UPDATE ec.backfill_range
   SET state = 'failed', error = %(error)s, sqlstate = %(sqlstate)s, done_at = clock_timestamp()
 WHERE id = %(id)s;

-- failures: the rows set aside, by table and key
SELECT s.schema, s.relation, s.key_columns, s.key_types, r.upper_key, r.error, r.sqlstate, r.done_at
  FROM ec.backfill_range r
  JOIN ec.backfill_stretch s ON s.revision = r.revision AND s.pass = r.pass AND s.number = r.stretch
 WHERE r.revision = %(revision)s AND r.state = 'failed'
 ORDER BY r.id;

-- set_aside_by_backfill: how many rows each backfill has set aside
SELECT revision, count(*) FROM ec.backfill_range WHERE state = 'failed' GROUP BY revision;

-- back_to_filling: the pass that filled last goes on; the look that came after it is forgotten, and comes again
WITH looked AS (DELETE FROM ec.backfill_stretch WHERE revision = %(revision)s AND verifies)
UPDATE ec.backfill b
   SET pass = (SELECT max(s.pass) FROM ec.backfill_stretch s WHERE s.revision = b.revision AND NOT s.verifies),
       verifies = false, verifier = NULL
 WHERE b.revision = %(revision)s AND b.verifies;

-- retry: rows set aside are tried again
UPDATE ec.backfill_range SET state = 'open', worker = NULL, free_from = clock_timestamp(), attempts = 0, error = NULL, sqlstate = NULL
 WHERE revision = %(revision)s AND state = 'failed'
RETURNING id;

-- slices: what the filling passes did in each slice of time since a moment: rows, ranges, and how long a range took, in
-- the middle and at most
SELECT floor(extract(epoch FROM r.done_at - CAST(%(since)s AS timestamptz)) / CAST(%(width)s AS float8))::int8,
       sum(r.rows_seen)::int8, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY r.seconds), max(r.seconds)
  FROM ec.backfill_range r
  JOIN ec.backfill_stretch s ON s.revision = r.revision AND s.pass = r.pass AND s.number = r.stretch AND NOT s.verifies
 WHERE r.revision = %(revision)s AND r.state = 'done' AND r.done_at >= %(since)s AND r.seconds IS NOT NULL
 GROUP BY 1 ORDER BY 1;

-- last_done: when a range was done last
SELECT max(done_at) FROM ec.backfill_range WHERE revision = %(revision)s AND state = 'done';

-- forgive: attempts in vain are counted anew
UPDATE ec.backfill_range SET attempts = 0 WHERE revision = %(revision)s AND state = 'open' AND attempts > 0;

-- found: how many rows a verifying pass found that need the backfill
SELECT COALESCE(sum(rows_found), 0)::bigint FROM ec.backfill_range WHERE revision = %(revision)s AND pass = %(pass)s;

-- verified_from: from when on each backfill has been verified
SELECT revision, verified_from FROM ec.backfill WHERE verified_from IS NOT NULL;

-- written_by_pass: how many rows each filling pass wrote, the first pass first
SELECT s.pass, COALESCE(sum(r.rows_written), 0)::bigint
  FROM (SELECT DISTINCT revision, pass FROM ec.backfill_stretch WHERE revision = %(revision)s AND NOT verifies) s
  LEFT JOIN ec.backfill_range r ON r.revision = s.revision AND r.pass = s.pass
 GROUP BY s.pass ORDER BY s.pass;
