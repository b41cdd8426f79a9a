-- blockers: the sessions that keep a backend waiting; a prepared transaction has no session, so it comes by its gid
SELECT a.pid, extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8, a.usename, a.application_name, a.state,
       pg_catalog.left(a.query, 200), NULL::text, a.backend_type, a.xact_start
  FROM pg_catalog.pg_stat_activity a
 WHERE a.pid = ANY (pg_catalog.pg_blocking_pids(%(pid)s))
UNION ALL
SELECT DISTINCT ON (p.gid) 0, extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::float8, p.owner, '', 'prepared transaction', '', p.gid,
       NULL, p.prepared
  FROM pg_catalog.pg_locks waiting
  JOIN pg_catalog.pg_locks held ON held.locktype = waiting.locktype
       AND held.database IS NOT DISTINCT FROM waiting.database AND held.relation IS NOT DISTINCT FROM waiting.relation
       AND held.transactionid IS NOT DISTINCT FROM waiting.transactionid
       AND held.granted AND held.pid IS NULL
  -- until the server restarts, its locks keep the virtual id of the session that prepared it, and only one of them
  -- is on its own transaction id
  JOIN pg_catalog.pg_locks own ON own.virtualtransaction = held.virtualtransaction AND own.pid IS NULL
       AND own.locktype = 'transactionid' AND own.granted
  JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = own.transactionid
 WHERE waiting.pid = %(pid)s AND NOT waiting.granted AND 0 = ANY (pg_catalog.pg_blocking_pids(%(pid)s));

-- end_blocker: end what a session does, if it is still in that transaction; where it idles there is nothing to cancel
SELECT CASE WHEN a.state = 'active' THEN pg_catalog.pg_cancel_backend(a.pid) ELSE pg_catalog.pg_terminate_backend(a.pid) END
  FROM pg_catalog.pg_stat_activity a
 WHERE a.pid = %(pid)s AND a.xact_start = %(began)s;

-- kept_waiting: how many statements of the application have waited for longer than a bound, in seconds, for locks that a
-- backend holds, and the longest wait, and none while that backend waits itself, which has a time-out of its own
WITH waiting AS MATERIALIZED (
  SELECT l.pid, extract(epoch FROM pg_catalog.clock_timestamp() - l.waitstart)::float8 AS seconds
    FROM pg_catalog.pg_locks l
   WHERE NOT l.granted AND (l.mode IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock') OR l.locktype IN ('transactionid', 'tuple'))
     AND l.waitstart < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %(bound)s)
   ORDER BY l.waitstart LIMIT 20)
SELECT pg_catalog.count(*), pg_catalog.max(w.seconds)
  FROM waiting w JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid AND a.backend_type = 'client backend'
 WHERE %(pid)s = ANY (pg_catalog.pg_blocking_pids(w.pid))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks own WHERE own.pid = %(pid)s AND NOT own.granted)
HAVING pg_catalog.count(*) > 0;

-- cancel: end the statement of a backend
SELECT pg_catalog.pg_cancel_backend(%(pid)s);

-- try_lock: the runner's lock of this database, without waiting
SELECT pg_catalog.pg_try_advisory_lock(%(namespace)s, %(key)s);

-- lock_holder: who has the runner's lock
SELECT a.pid, a.application_name, pg_catalog.host(a.client_addr), a.backend_start
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = %(key)s AND l.objsubid = 2
   AND l.granted AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database());

-- is_held_by: whether a backend of this very server has the runner's lock
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_locks l
   WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = %(key)s AND l.objsubid = 2
     AND l.granted AND l.pid = %(pid)s
     AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()));

-- oids: those of the relations of these names that are there
SELECT found.relation::pg_catalog.oid::pg_catalog.int8
  FROM pg_catalog.unnest(CAST(%(names)s AS text[])) AS name, LATERAL (SELECT pg_catalog.to_regclass(name) AS relation) AS found
 WHERE found.relation IS NOT NULL;

-- long_readers: on a standby, who has for longer than a bound, in seconds, been in a transaction that has read one of these tables
SELECT DISTINCT ON (a.pid) a.pid, extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8, a.usename, a.application_name, a.state,
       pg_catalog.left(a.query, 200), NULL::text, a.backend_type, a.xact_start
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid AND a.backend_type = 'client backend'
 WHERE pg_catalog.pg_is_in_recovery() AND l.locktype = 'relation' AND l.granted AND l.relation::pg_catalog.int8 = ANY (%(oids)s)
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %(bound)s)
 ORDER BY a.pid;

-- forget_snapshot: within a transaction pg_stat_activity shows for ever what the first look saw
SELECT pg_catalog.pg_stat_clear_snapshot();

-- sessions: the other sessions of this database, the oldest first
SELECT a.pid, a.application_name, a.usename, pg_catalog.host(a.client_addr),
       extract(epoch FROM pg_catalog.clock_timestamp() - a.backend_start)::float8
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
 ORDER BY a.backend_start, a.pid;

-- is_committed: whether a transaction has ended well
SELECT pg_catalog.pg_xact_status(CAST(%(transaction)s AS pg_catalog.xid8)) = 'committed';
