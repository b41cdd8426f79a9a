-- first_schema: where the session would make a new table; null where no schema of its path exists
SELECT schema FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (schema, position)
 ORDER BY schema OPERATOR(pg_catalog.=) 'pg_catalog', position LIMIT 1;

-- pin: until the transaction ends no name of ours means anything but the server's own
SELECT pg_catalog.set_config('search_path', 'pg_catalog', true);

-- login: the session: its role and database, what kind of server it met, and the rights of its role
SELECT pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(pg_catalog.current_database()), r.rolsuper, pg_catalog.pg_is_in_recovery(),
       pg_catalog.current_setting('default_transaction_read_only')::boolean, pg_catalog.pg_backend_pid(), pg_catalog.current_setting('server_version_num')::int,
       COALESCE((SELECT pg_catalog.has_schema_privilege(n.oid, 'CREATE') FROM pg_catalog.pg_namespace n WHERE n.nspname = %(schema)s), false),
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'),
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'), pg_catalog.pg_has_role('pg_signal_backend', 'USAGE')
  FROM pg_catalog.pg_roles r WHERE r.rolname = current_user;

-- has_ledger: whether this database has a ledger, for a role that may not look into it as well
SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'ec' AND c.relname = 'ledger');

-- lacks_in_ledger: the rights in the ledger that the role lacks; of events nobody needs to change any
SELECT 'USAGE' FROM pg_catalog.pg_namespace n WHERE n.nspname = 'ec' AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
UNION ALL
(SELECT pg_catalog.string_agg(p.privilege, ', ') || pg_catalog.format(' ON %%I', c.relname)
   FROM pg_catalog.pg_class c
   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'ec'
  CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p (privilege)
  WHERE c.relkind = 'r' AND NOT pg_catalog.has_table_privilege(c.oid, p.privilege)
    AND NOT (c.relname = 'event' AND p.privilege IN ('UPDATE', 'DELETE'))
  GROUP BY c.oid, c.relname
  ORDER BY c.oid);

-- settings: those of a new session that the database, the role or the connection has set, or the server's files
SELECT name, pg_catalog.current_setting(name), source
  FROM pg_catalog.pg_settings
 WHERE name IN ('statement_timeout', 'transaction_timeout', 'session_replication_role', 'row_security', 'default_transaction_isolation')
   AND setting <> boot_val AND source <> 'session';

-- foreign_tables: tables of others, the ledger's and the server's own aside
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname), c.relname::text, pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner))
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname NOT IN ('ec', 'information_schema')
   AND n.nspname NOT LIKE 'pg\_%%' AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1;

-- keyless: tables with neither a primary key nor a unique index without NULLs
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('ec', 'information_schema') AND n.nspname NOT LIKE 'pg\_%%'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
   AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_index i
      WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                         WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[]) AND NOT a.attnotnull))
 ORDER BY 1;

-- invalid_indexes: INVALID indexes that nobody builds just now, and whether they keep duplicates out all the same
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname), pg_catalog.format('%%I.%%I', tn.nspname, t.relname), i.indisunique AND i.indisready
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT LIKE 'pg\_%%'
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
 WHERE NOT i.indisvalid
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.relid = i.indrelid)
 ORDER BY 1;

-- open_transactions: the oldest transactions, prepared ones among them; of others' sessions the age may be hidden
SELECT who, seconds, gid, pid FROM (
  SELECT pg_catalog.format('pid %%s (role %%s, application %%s, %%s)', a.pid, a.usename, COALESCE(NULLIF(a.application_name, ''), 'without a name'),
                COALESCE(a.state, 'hidden')) AS who,
         extract(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::float8 AS seconds, NULL::text AS gid, a.pid
    FROM pg_catalog.pg_stat_activity a
   WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
     AND COALESCE(a.backend_type, 'client backend') = 'client backend'
  UNION ALL
  SELECT pg_catalog.quote_ident(p.owner::text), extract(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::float8, p.gid, NULL::int
    FROM pg_catalog.pg_prepared_xacts p WHERE p.database = pg_catalog.current_database()) AS known
 WHERE seconds IS NOT NULL
 ORDER BY seconds DESC LIMIT 50;

-- holder: who has the runner's lock, and how long that session has done nothing
SELECT a.pid, a.application_name, pg_catalog.host(a.client_addr),
       CASE WHEN a.state = 'idle' THEN extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change) WHEN a.state IS NULL THEN NULL ELSE 0 END::float8
  FROM pg_catalog.pg_locks l
  JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.classid::bigint = %(namespace)s AND l.objid::bigint = %(key)s AND l.objsubid = 2
   AND l.granted AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database());

-- same_role: the applications whose sessions have our role; `ec` itself aside
SELECT DISTINCT COALESCE(NULLIF(a.application_name, ''), 'nothing')
  FROM pg_catalog.pg_stat_activity a
 WHERE a.datname = pg_catalog.current_database() AND a.usename = current_user AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.application_name NOT LIKE 'ec:%%' AND a.backend_type = 'client backend'
 ORDER BY 1;

-- due_for_freezing: tables that autovacuum freezes to prevent wraparound, whatever else it is set to
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT LIKE 'pg\_%%'
  LEFT JOIN LATERAL (SELECT o.option_value::bigint AS age FROM pg_catalog.pg_options_to_table(c.reloptions) AS o
                      WHERE o.option_name = 'autovacuum_freeze_max_age') AS own ON true
 WHERE c.relkind = 'r' AND pg_catalog.age(c.relfrozenxid) > LEAST(own.age, pg_catalog.current_setting('autovacuum_freeze_max_age')::bigint)
 ORDER BY 1;

-- idle_slots: physical replication slots that nobody uses, and the bytes of WAL that each keeps
SELECT s.slot_name::text, COALESCE(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn), 0)::int8
  FROM pg_catalog.pg_replication_slots s
 WHERE s.slot_type = 'physical' AND NOT s.active AND NOT s.temporary
 ORDER BY 1;

-- waits_for: the synchronous standbys that commits wait for, where none of them is connected and we may see that
SELECT pg_catalog.current_setting('synchronous_standby_names')
 WHERE pg_catalog.current_setting('synchronous_standby_names') <> '' AND pg_catalog.current_setting('synchronous_commit') <> 'local'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_replication r WHERE r.sync_state IS NULL OR r.sync_state IN ('sync', 'quorum'));

-- server_settings: whether statements are counted and may be read here, whether autovacuum works, and deadlock_timeout in seconds
SELECT EXISTS (SELECT FROM pg_catalog.pg_settings WHERE name = 'pg_stat_statements.max')
         AND EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_stat_statements'),
       pg_catalog.current_setting('autovacuum')::boolean,
       extract(epoch FROM pg_catalog.current_setting('deadlock_timeout')::interval)::float8;
