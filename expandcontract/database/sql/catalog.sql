-- schema_of: the schema in which the search path finds a table
SELECT n.nspname
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = pg_catalog.to_regclass(%(table)s);

-- key: the columns of the primary key, or else of the first unique index without NULLs that sorts as the columns do, in key order
SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.position), pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY k.position)
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indoption::int2[], i.indcollation::oid[], i.indclass::oid[])
    WITH ORDINALITY AS k (attnum, option, collation_, class, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  JOIN pg_catalog.pg_opclass c ON c.oid = k.class
 WHERE i.indrelid = pg_catalog.to_regclass(%(table)s)
   AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
   AND k.position <= i.indnkeyatts
 GROUP BY i.indexrelid, i.indisprimary
HAVING pg_catalog.bool_and(a.attnotnull AND k.option = 0 AND k.collation_ = a.attcollation AND c.opcdefault)
 ORDER BY i.indisprimary DESC, i.indexrelid
 LIMIT 1;

-- members: the tables that hold a table's rows (itself, its partitions, its children), with their kind
WITH RECURSIVE member AS (
  SELECT pg_catalog.to_regclass(%(table)s)::oid AS oid
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid WHERE NOT i.inhdetachpending
)
SELECT n.nspname, c.relname, c.relkind::text
  FROM member m
  JOIN pg_catalog.pg_class c ON c.oid = m.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind <> 'p'
 ORDER BY c.oid;

-- hides_rows: the first of a table, its partitions and its children whose policies apply to us, so that we don't see all rows
WITH RECURSIVE member AS (
  SELECT pg_catalog.to_regclass(%(table)s)::oid AS oid
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid
)
SELECT m.oid::regclass::text FROM member m WHERE pg_catalog.row_security_active(m.oid) ORDER BY m.oid LIMIT 1;

-- pages: how many pages a table has, and the rows on one as far as anybody knows
SELECT pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint,
       CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages END::float8
  FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%(table)s);

-- all_pages: how many pages a table has, with its partitions and children
WITH RECURSIVE member AS (
  SELECT pg_catalog.to_regclass(%(table)s)::oid AS oid
  UNION
  SELECT i.inhrelid FROM member m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid WHERE NOT i.inhdetachpending
)
SELECT COALESCE(pg_catalog.sum(pg_catalog.pg_relation_size(m.oid)), 0)::bigint
       / pg_catalog.current_setting('block_size')::bigint
  FROM member m;

-- shape: pages, indexes, fillfactor, and whether no index has to do with these columns, in its key or its expressions
SELECT pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid),
       COALESCE((SELECT option_value::int FROM pg_catalog.pg_options_to_table(c.reloptions) WHERE option_name = 'fillfactor'), 100),
       NOT EXISTS (
         SELECT FROM pg_catalog.pg_index i
           JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid
          WHERE i.indrelid = c.oid AND a.attname = ANY (CAST(%(columns)s AS text[]))
            AND (a.attnum = ANY (i.indkey) OR EXISTS (
              SELECT FROM pg_catalog.pg_depend d
               WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                 AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = a.attnum)))
  FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%(table)s);

-- bare_types: each column's type without its length, below a domain ("character" alone would mean one character)
SELECT a.attname::text, pg_catalog.format_type(COALESCE(NULLIF(t.typbasetype, 0), a.atttypid), -1)
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = pg_catalog.to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped;

-- index_is_valid: whether an index is valid; no row where there is no such index
SELECT i.indisvalid FROM pg_catalog.pg_index i WHERE i.indexrelid = pg_catalog.to_regclass(%(index)s);

-- index_enforces: whether an index is INVALID and keeps duplicates out all the same
SELECT i.indisunique AND i.indisready AND NOT i.indisvalid FROM pg_catalog.pg_index i
 WHERE i.indexrelid = pg_catalog.to_regclass(%(index)s);

-- enabled_triggers: the triggers of a table that fire for everybody
SELECT t.tgname FROM pg_catalog.pg_trigger t
 WHERE t.tgrelid = pg_catalog.to_regclass(%(table)s) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A');

-- triggers_on_update: row triggers of a table that fire when these columns (none: any) are updated, but for a Sync's
SELECT t.tgname::text, p.oid::regproc::text
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
 WHERE t.tgrelid = pg_catalog.to_regclass(%(table)s) AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
   AND t.tgtype & 1 = 1 AND t.tgtype & 16 = 16 AND NOT pg_catalog.starts_with(p.proname, 'ec_sync_')
   AND (t.tgattr = '' OR CAST(%(columns)s AS text[]) = '{}' OR EXISTS (
     SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr) AND a.attname = ANY (CAST(%(columns)s AS text[]))))
 ORDER BY t.tgname;

-- indexes_over: how many indexes a table has, those with one of these columns (in the key, an expression or a condition), its fillfactor
SELECT pg_catalog.count(i.indexrelid), COALESCE(pg_catalog.array_agg(i.indexrelid::regclass::text ORDER BY i.indexrelid) FILTER (WHERE EXISTS (
         SELECT FROM pg_catalog.pg_depend d
           JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
          WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid
            AND a.attname = ANY (CAST(%(columns)s AS text[])))), '{}'),
       COALESCE((SELECT o.option_value::int FROM pg_catalog.pg_options_to_table(c.reloptions) o
                  WHERE o.option_name = 'fillfactor'), 100)
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid
 WHERE c.oid = pg_catalog.to_regclass(%(table)s)
 GROUP BY c.oid, c.reloptions;

-- session: what a connection must be asked before anything is trusted to it
SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('default_transaction_read_only')::boolean, pg_catalog.pg_backend_pid(),
       pg_catalog.current_setting('server_version_num')::int;

-- index_definitions: the valid indexes of a table that no constraint stands on, with their definitions
SELECT c.relname, pg_catalog.pg_get_indexdef(i.indexrelid)
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = pg_catalog.to_regclass(%(table)s) AND i.indisvalid
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
 ORDER BY i.indexrelid;

-- references: the foreign keys that refer to one column of a table alone
SELECT n.nspname, c.relname, k.conname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object(
         'ondelete', CASE k.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                                        WHEN 'r' THEN 'RESTRICT' END,
         'onupdate', CASE k.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                                        WHEN 'r' THEN 'RESTRICT' END))
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
  JOIN pg_catalog.pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
 WHERE k.contype = 'f' AND k.confrelid = pg_catalog.to_regclass(%(table)s) AND k.conparentid = 0
   AND pg_catalog.cardinality(k.confkey) = 1 AND f.attname = %(column)s
 ORDER BY k.oid;

-- kind: what kind of relation a table is: r an ordinary one, p a partitioned one
SELECT c.relkind::text FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%(table)s);

-- index_table: the table of an index, the constraint that stands on it, and whether it is one of partitions
SELECT n.nspname, t.relname, (SELECT k.conname FROM pg_catalog.pg_constraint k
                               WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') LIMIT 1), c.relkind = 'I' OR c.relispartition
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 WHERE i.indexrelid = pg_catalog.to_regclass(%(index)s);

-- partitions: the partitions right below a partitioned table, and whether they are partitioned themselves
SELECT n.nspname, c.relname, c.relkind = 'p'
  FROM pg_catalog.pg_inherits i
  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE i.inhparent = pg_catalog.to_regclass(%(table)s)
 ORDER BY c.relname;

-- named_after: the constraints, indexes and sequences of a table, with their kind, in the order in which they came
SELECT 'CONSTRAINT', k.conname FROM pg_catalog.pg_constraint k
 WHERE k.conrelid = pg_catalog.to_regclass(%(table)s) AND k.contype IN ('p', 'u', 'x', 'c', 'f')
 UNION ALL
SELECT 'INDEX', c.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = pg_catalog.to_regclass(%(table)s)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
 UNION ALL
SELECT 'SEQUENCE', c.relname FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'
 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND d.refobjid = pg_catalog.to_regclass(%(table)s) AND d.deptype IN ('a', 'i')
 ORDER BY 1, 2;

-- grants: who may do what with a table, beside its owner
SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
       pg_catalog.string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
  FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a
 WHERE c.oid = pg_catalog.to_regclass(%(table)s) AND a.grantee <> c.relowner
   AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
 GROUP BY a.grantee
 ORDER BY 1;

-- type_users: the columns of a type of one's own
SELECT c.oid::pg_catalog.regclass::text, a.attname
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm')
 WHERE a.atttypid = pg_catalog.to_regtype(%(type)s) AND NOT a.attisdropped
 ORDER BY 1, 2;

-- standing_on: the indexes and constraints that one column is in, NOT NULL left out
SELECT CASE k.contype WHEN 'u' THEN 'unique constraint' WHEN 'f' THEN 'foreign key' WHEN 'c' THEN 'check' ELSE 'constraint' END,
       k.conname
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
 WHERE k.conrelid = pg_catalog.to_regclass(%(table)s) AND a.attname = %(column)s AND k.contype IN ('p', 'u', 'f', 'c', 'x')
 UNION
SELECT 'index', c.relname
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('i', 'I')
  JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
   AND d.refobjid = pg_catalog.to_regclass(%(table)s) AND a.attname = %(column)s
 ORDER BY 1, 2;
