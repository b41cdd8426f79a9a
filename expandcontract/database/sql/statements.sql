-- installed: the schema and the version of the extension in this database
SELECT n.nspname::text, e.extversion::text FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements';

-- terms: what it counts, whether we may see whose and which, and the roles and databases for which that is set otherwise
SELECT pg_catalog.current_setting('pg_stat_statements.track', true), pg_catalog.current_setting('pg_stat_statements.track_utility', true),
       pg_catalog.current_setting('compute_query_id'), pg_catalog.pg_has_role('pg_read_all_stats', 'usage'),
       ARRAY(SELECT coalesce(s.setrole::pg_catalog.regrole::text, '') || ' ' || c
               FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) c
              WHERE s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
                AND (c IN ('pg_stat_statements.track=none', 'compute_query_id=off') OR c ~ '^pg_stat_statements.track_utility=(off|false|no|0)$')
              ORDER BY 1);

-- counters: how often room was made, and since when it counts
SELECT dealloc, stats_reset FROM {schema}.pg_stat_statements_info;

-- entries: this database's, but for our own; of a statement that may hold a password not the text
SELECT coalesce(r.rolname::text, s.userid::text), s.queryid, s.toplevel, s.calls,
       CASE WHEN s.query ~* '\m(create|alter)\s+(role|user|group|server|subscription)\M' THEN '' ELSE s.query END
  FROM {schema}.pg_stat_statements s
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.userid
 WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
   AND s.query NOT LIKE {own};
