-- standbys: who replicates from here, where its replay is in the WAL, and by how much it is late in its own words
-- (without pg_monitor the state of others is null)
SELECT CASE WHEN COALESCE(r.application_name, '') IN ('', 'walreceiver')
            THEN pg_catalog.concat_ws(' at ', 'standby', pg_catalog.host(r.client_addr)) ELSE r.application_name END,
       r.state,
       pg_catalog.pg_wal_lsn_diff(COALESCE(r.replay_lsn, r.flush_lsn, r.write_lsn), '0/0')::int8,
       extract(epoch FROM r.replay_lag)::float8,
       r.replay_lsn IS NOT NULL AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
  FROM pg_catalog.pg_stat_replication r
 WHERE r.state IS NULL OR r.state IN ('streaming', 'catchup');

-- wal_position: how far the WAL is, in bytes
SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::int8;

-- slots: how much WAL each replication slot keeps
SELECT slot_name, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::int8
  FROM pg_catalog.pg_replication_slots WHERE restart_lsn IS NOT NULL;

-- archiver: whether WAL is archived, which file was last, which is written now, how large a file is, and whether it fails
SELECT pg_catalog.current_setting('archive_mode') <> 'off', a.last_archived_wal,
       pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()),
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')),
       COALESCE(a.last_failed_time > COALESCE(a.last_archived_time, '-infinity'), false)
  FROM pg_catalog.pg_stat_archiver a;

-- lock_waits: sessions that have waited for half a second and more for a lock on the table or its partitions, or for a
-- row that one of our workers has locked, and the longest wait
WITH members AS (
  SELECT CAST(%(root)s AS int8)::oid AS relid
  UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree(CAST(%(root)s AS int8)::oid::regclass))
SELECT pg_catalog.count(DISTINCT waiting.pid), pg_catalog.max(extract(epoch FROM pg_catalog.clock_timestamp() - waiting.waitstart))::float8
  FROM pg_catalog.pg_locks waiting
 WHERE NOT waiting.granted AND waiting.waitstart < pg_catalog.clock_timestamp() - interval '500 ms'
   AND waiting.pid NOT IN (SELECT backend FROM ec.backfill_worker)
   AND (waiting.relation IN (SELECT relid FROM members)
        AND waiting.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
     OR waiting.locktype = 'transactionid' AND EXISTS (
          SELECT FROM pg_catalog.pg_locks held JOIN ec.backfill_worker w ON w.backend = held.pid
           WHERE held.granted AND held.locktype = 'transactionid' AND held.transactionid = waiting.transactionid));

-- autovacuum: whether autovacuum works on the table or its partitions, whether it may not be put off, and whether
-- there are runs that we may not see
WITH members AS (
  SELECT CAST(%(root)s AS int8)::oid AS relid
  UNION SELECT relid::oid FROM pg_catalog.pg_partition_tree(CAST(%(root)s AS int8)::oid::regclass))
SELECT COALESCE(pg_catalog.bool_or(p.relid IN (SELECT relid FROM members)), false),
       COALESCE(pg_catalog.bool_or(p.relid IN (SELECT relid FROM members) AND a.query LIKE '%%to prevent wraparound%%'), false),
       COALESCE(pg_catalog.bool_or(p.relid IS NULL), false)
  FROM pg_catalog.pg_stat_progress_vacuum p
  JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid AND COALESCE(a.backend_type, 'autovacuum worker') = 'autovacuum worker'
 WHERE p.datname = pg_catalog.current_database();

-- dead_rows: dead and live rows of the table and its partitions, as the statistics have them
SELECT COALESCE(pg_catalog.sum(s.n_dead_tup), 0)::int8, COALESCE(pg_catalog.sum(s.n_live_tup), 0)::int8
  FROM pg_catalog.pg_stat_all_tables s
 WHERE s.relid = CAST(%(root)s AS int8)::oid
    OR s.relid IN (SELECT relid FROM pg_catalog.pg_partition_tree(CAST(%(root)s AS int8)::oid::regclass));

-- transaction_age: the database whose oldest transaction id is furthest back, and how far
SELECT datname, pg_catalog.age(datfrozenxid) FROM pg_catalog.pg_database ORDER BY 2 DESC LIMIT 1;

-- oldest_snapshot: who keeps dead rows of this database from being removed, and for how many seconds
SELECT who, seconds FROM (
  SELECT pg_catalog.format('pid %%s (%%s)', a.pid, COALESCE(NULLIF(a.application_name, ''), a.usename)) AS who,
         extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8 AS seconds
    FROM pg_catalog.pg_stat_activity a
   WHERE a.backend_xmin IS NOT NULL AND a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
     AND a.backend_type <> 'autovacuum worker'
  UNION ALL
  SELECT pg_catalog.format('prepared transaction %%L', p.gid), extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::float8
    FROM pg_catalog.pg_prepared_xacts p WHERE p.database = pg_catalog.current_database()) known
 WHERE seconds IS NOT NULL
 ORDER BY seconds DESC LIMIT 1;

-- active_sessions: how many sessions of others run a statement just now
SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
 WHERE a.state = 'active' AND a.backend_type = 'client backend' AND a.application_name NOT LIKE 'ec:%%';

-- hidden_sessions: how many sessions of this database the role may not look into
SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
 WHERE a.query = '<insufficient privilege>' AND a.usesysid IS NOT NULL AND a.datname = pg_catalog.current_database();

-- clock: the database's
SELECT pg_catalog.clock_timestamp();
