-- put_worker: a session that begins to move rows; it holds its advisory lock until it ends
INSERT INTO ec.backfill_worker (revision, root, host, pid)
VALUES (%(revision)s, CAST(%(root)s AS int8)::oid, %(host)s, %(pid)s)
RETURNING number, pg_catalog.pg_advisory_lock(%(namespace)s, number) IS NULL;

-- drop_worker: a session that ends by itself
DELETE FROM ec.backfill_worker WHERE number = %(worker)s;

-- bucket: what the shared rate has given out, and the clock; after `lock_backfill`
SELECT extract(epoch FROM GREATEST(paid_until, '2000-01-01'::timestamptz))::float8,
       extract(epoch FROM GREATEST(not_before, '2000-01-01'::timestamptz))::float8,
       extract(epoch FROM pg_catalog.clock_timestamp())::float8
  FROM ec.backfill WHERE revision = %(revision)s;

-- put_bucket: rows that the shared rate has given out
UPDATE ec.backfill SET paid_until = pg_catalog.to_timestamp(%(paid_until)s), not_before = pg_catalog.to_timestamp(%(not_before)s)
 WHERE revision = %(revision)s;

-- put_verifier: who decides how to go on after a pass
UPDATE ec.backfill SET verifier = %(worker)s WHERE revision = %(revision)s;

-- verifier_lives: whether the session of that worker hasn't ended
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_locks l
   WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = %(worker)s
     AND l.objsubid = 2 AND l.granted
     AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()));

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
        pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => %(lease)s), %(rows)s, %(rows_left)s, %(attempts)s)
RETURNING id;

-- take_free: the first range that nobody leases; one whose transaction is still open isn't free whatever its lease says
UPDATE ec.backfill_range
   SET worker = %(worker)s, attempts = attempts + 1, settled = NULL, free_from = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => %(lease)s)
 WHERE id = (
   SELECT id FROM ec.backfill_range
    WHERE revision = %(revision)s AND pass = %(pass)s AND state = 'open'
      AND (free_from <= pg_catalog.clock_timestamp() OR settled IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_stat_activity a WHERE pg_catalog.age(a.backend_xmin) >= pg_catalog.age(settled) AND a.pid <> pg_catalog.pg_backend_pid()))
    ORDER BY free_from LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, stretch, lower_key, upper_key, rows_seen, attempts, turn, rows_left;

-- free_orphans: the ranges of workers whose session has ended are free at once
UPDATE ec.backfill_range SET worker = NULL, free_from = pg_catalog.clock_timestamp()
 WHERE id IN (
   SELECT r.id FROM ec.backfill_range r
    WHERE r.revision = %(revision)s AND r.pass = %(pass)s AND r.state = 'open' AND r.worker IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_locks l
         WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = r.worker
           AND l.objsubid = 2 AND l.granted
           AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
    FOR UPDATE SKIP LOCKED)
RETURNING id;

-- lease_more: the wait until the range may start is no part of its lease
UPDATE ec.backfill_range SET free_from = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => %(lease)s)
 WHERE id = %(id)s AND worker = %(worker)s;

-- hold_range: nobody takes the range over until this transaction ends; no row where somebody has
SELECT id FROM ec.backfill_range WHERE id = %(id)s AND worker = %(worker)s AND state = 'open' FOR UPDATE;

-- finish_range: in the transaction that wrote its rows
UPDATE ec.backfill_range
   SET state = 'done', rows_seen = COALESCE(%(seen)s, rows_seen), rows_written = %(written)s, rows_found = %(found)s, seconds = %(seconds)s, done_at = pg_catalog.clock_timestamp()
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
SELECT revision, pass, stretch, lower_key, upper_key, turn, pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => %(patience)s),
       pg_catalog.pg_current_xact_id()::xid, rows, rows_left - rows, 0
  FROM range;

-- free_range: somebody may try it again after a while
UPDATE ec.backfill_range SET worker = NULL, free_from = pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => %(after)s)
 WHERE id = %(id)s AND worker = %(worker)s AND state = 'open';

-- shrink_range: it ends earlier; the rest becomes a range of its own
UPDATE ec.backfill_range SET upper_key = %(upper_key)s, rows_seen = %(rows)s, rows_left = %(rows_left)s WHERE id = %(id)s;

-- set_aside: the one row of the range can't be filled
UPDATE ec.backfill_range
   SET state = 'failed', error = %(error)s, sqlstate = %(sqlstate)s, done_at = pg_catalog.clock_timestamp()
 WHERE id = %(id)s;
