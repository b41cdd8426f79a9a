-- schema_of: the schema in which the search path finds a table
SELECT n.nspname
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = to_regclass(%(table)s);

-- key: the columns of the primary key, or else of the first unique index without NULLs that sorts as the columns do, in key order
SELECT array_agg(a.attname::text ORDER BY k.position), array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.position)
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indoption::int2[], i.indcollation::oid[], i.indclass::oid[])
    WITH ORDINALITY AS k (attnum, option, collation_, class, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  JOIN pg_catalog.pg_opclass c ON c.oid = k.class
 WHERE i.indrelid = to_regclass(%(table)s)
   AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
   AND k.position <= i.indnkeyatts
 GROUP BY i.indexrelid, i.indisprimary
HAVING bool_and(a.attnotnull AND k.option = 0 AND k.collation_ = a.attcollation AND c.opcdefault)
 ORDER BY i.indisprimary DESC, i.indexrelid
 LIMIT 1;

-- members: the tables that hold a table's rows (itself, its partitions, its children), with their kind
WITH RECURSIVE member AS (
  SELECT to_regclass(%(table)s)::oid AS oid
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid WHERE NOT i.inhdetachpending
)
SELECT n.nspname, c.relname, c.relkind::text
  FROM member m
  JOIN pg_catalog.pg_class c ON c.oid = m.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind <> 'p'
 ORDER BY c.oid;

-- pages: how many pages a table has, and the rows on one as far as anybody knows
SELECT pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::bigint,
       CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages END::float8
  FROM pg_catalog.pg_class c WHERE c.oid = to_regclass(%(table)s);

-- shape: pages, indexes, fillfactor, and whether no index has to do with these columns, in its key or its expressions
SELECT pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::bigint,
       (SELECT count(*) FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid),
       COALESCE((SELECT option_value::int FROM pg_catalog.pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 100),
       NOT EXISTS (
         SELECT FROM pg_catalog.pg_index i
           JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid
          WHERE i.indrelid = c.oid AND a.attname = ANY (CAST(%(columns)s AS text[]))
            AND (a.attnum = ANY (i.indkey) OR EXISTS (
              SELECT FROM pg_catalog.pg_depend d
               WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                 AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum)))
  FROM pg_catalog.pg_class c WHERE c.oid = to_regclass(%(table)s);

-- bare_types: each column's type without its length, below a domain ("character" alone would mean one character)
SELECT a.attname::text, format_type(COALESCE(NULLIF(t.typbasetype, 0), a.atttypid), -1)
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped;

-- index_is_valid: whether an index is valid; no row where there is no such index
SELECT i.indisvalid FROM pg_catalog.pg_index i WHERE i.indexrelid = to_regclass(%(index)s);

-- enabled_triggers: the triggers of a table that fire for everybody
SELECT t.tgname FROM pg_catalog.pg_trigger t
 WHERE t.tgrelid = to_regclass(%(table)s) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A');

-- triggers_on_update: row triggers of a table that fire when these columns (none: any) are updated, but for a Sync's
SELECT t.tgname::text, p.oid::regproc::text
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
 WHERE t.tgrelid = to_regclass(%(table)s) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
   AND t.tgtype & 1 = 1 AND t.tgtype & 16 = 16 AND NOT starts_with(p.proname, 'ec_sync_')
   AND (t.tgattr = '' OR CAST(%(columns)s AS text[]) = '{}' OR EXISTS (
     SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr) AND a.attname = ANY (CAST(%(columns)s AS text[]))))
 ORDER BY t.tgname;

-- indexes_over: how many indexes a table has, those with one of these columns (in the key, an expression or a condition), its fillfactor
SELECT count(i.indexrelid), COALESCE(array_agg(i.indexrelid::regclass::text ORDER BY i.indexrelid) FILTER (WHERE EXISTS (
         SELECT FROM pg_catalog.pg_depend d
           JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid
            AND a.attname = ANY (CAST(%(columns)s AS text[])))), '{}'),
       COALESCE((SELECT o.option_value::int FROM pg_catalog.pg_options_to_table(c.reloptions) o
                  WHERE o.option_name = 'fillfactor'), 100)
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
 WHERE c.oid = to_regclass(%(table)s)
 GROUP BY c.oid, c.reloptions;

-- session: what a connection must be asked before anything is trusted to it
SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean, pg_backend_pid(),
       current_setting('server_version_num')::int;
