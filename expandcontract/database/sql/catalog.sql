-- schema_of: the schema in which the search path finds a table
SELECT n.nspname
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = to_regclass(%(table)s);

-- key: the columns of the primary key, or else of the first unique index without NULLs, in key order
SELECT array_agg(a.attname::text ORDER BY k.position), array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.position)
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
 WHERE i.indrelid = to_regclass(%(table)s)
   AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
   AND k.position <= i.indnkeyatts
 GROUP BY i.indexrelid, i.indisprimary
HAVING bool_and(a.attnotnull)
 ORDER BY i.indisprimary DESC, i.indexrelid
 LIMIT 1;

-- index_is_valid: whether an index is valid; no row where there is no such index
SELECT i.indisvalid FROM pg_catalog.pg_index i WHERE i.indexrelid = to_regclass(%(index)s);

-- enabled_triggers: the triggers of a table that fire for everybody
SELECT t.tgname FROM pg_catalog.pg_trigger t
 WHERE t.tgrelid = to_regclass(%(table)s) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A');

-- session: what a connection must be asked before anything is trusted to it
SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean, pg_backend_pid(),
       current_setting('server_version_num')::int;

-- index_definitions: the valid indexes of a table that no constraint stands on, with their definitions
SELECT c.relname, pg_get_indexdef(i.indexrelid)
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = to_regclass(%(table)s) AND i.indisvalid
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
 ORDER BY i.indexrelid;

-- references: the foreign keys that refer to one column of a table alone
SELECT n.nspname, c.relname, k.conname, a.attname, format_type(a.atttypid, a.atttypmod),
       jsonb_strip_nulls(jsonb_build_object(
         'ondelete', CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                                        WHEN 'r' THEN 'RESTRICT' END,
         'onupdate', CASE k.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                                        WHEN 'r' THEN 'RESTRICT' END))
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  JOIN pg_catalog.pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
 WHERE k.contype = 'f' AND k.confrelid = to_regclass(%(table)s) AND k.conparentid = 0
   AND cardinality(k.confkey) = 1 AND f.attname = %(column)s
 ORDER BY k.oid;
