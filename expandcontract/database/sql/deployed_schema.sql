-- schemas: the schemas of the user's
SELECT pg_catalog.format('CREATE SCHEMA IF NOT EXISTS %%I', n.nspname)
FROM pg_catalog.pg_namespace n
WHERE n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
ORDER BY n.nspname;

-- extensions: those that are installed, which types and operators come from
SELECT pg_catalog.format('CREATE EXTENSION IF NOT EXISTS %%I SCHEMA %%I', e.extname, n.nspname)
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql'
ORDER BY e.extname;

-- enums: the enumerations with their values in order
SELECT pg_catalog.format('CREATE TYPE %%s AS ENUM (%%s)', t.oid::regtype,
  (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid))
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
ORDER BY t.oid;

-- composites: the composite types
SELECT pg_catalog.format('CREATE TYPE %%s AS (%%s)', c.reltype::regtype,
  (SELECT pg_catalog.string_agg(pg_catalog.format('%%I %%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum)
   FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'c' AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.oid;

-- domains: the domains with their checks
SELECT pg_catalog.concat_ws(' ', pg_catalog.format('CREATE DOMAIN %%s AS %%s', t.oid::regtype, pg_catalog.format_type(t.typbasetype, t.typtypmod)),
  'DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN 'NOT NULL' END,
  (SELECT pg_catalog.string_agg(pg_catalog.format('CONSTRAINT %%I %%s', c.conname, pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(c.oid), ' NOT VALID$', '')), ' ')
   FROM pg_catalog.pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'))
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
ORDER BY t.oid;

-- sequences: those that stand alone
SELECT pg_catalog.format('CREATE SEQUENCE %%s', c.oid::regclass)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('e', 'i'))
ORDER BY c.oid;

-- unchecked_bodies: a function's body may name tables that come after it
SELECT 'SET check_function_bodies = off';

-- functions: the functions and procedures, which triggers and defaults call
SELECT pg_catalog.regexp_replace(pg_catalog.pg_get_functiondef(p.oid), '\s+$', '')
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p') AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
  AND l.lanname NOT IN ('c', 'internal')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  AND pg_catalog.to_jsonb(p) ->> 'prosqlbody' IS NULL AND NOT EXISTS ( -- the others need their tables first
    SELECT FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind <> 'c'
    WHERE t.oid = p.prorettype OR t.oid = ANY (coalesce(p.proallargtypes, p.proargtypes::oid[])))
ORDER BY p.oid;

-- tables: the tables with their columns, partitions after what they are part of
WITH RECURSIVE placed AS (
  SELECT c.oid, 0 AS depth FROM pg_catalog.pg_class c
  WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)
  UNION ALL
  SELECT i.inhrelid, placed.depth + 1 FROM placed JOIN pg_catalog.pg_inherits i ON i.inhparent = placed.oid
  JOIN pg_catalog.pg_class child ON child.oid = i.inhrelid AND child.relkind IN ('r', 'p')
), described AS (
  SELECT c.oid, c.relkind, c.relispartition, c.relpersistence, c.relpartbound, pg_catalog.max(placed.depth) AS depth,
    (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod),
        (SELECT pg_catalog.format('COLLATE %%I.%%I', cn.nspname, l.collname) FROM pg_catalog.pg_collation l
         JOIN pg_catalog.pg_namespace cn ON cn.oid = l.collnamespace JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
         WHERE l.oid = a.attcollation AND l.oid <> y.typcollation),
        CASE WHEN a.attgenerated = 's' THEN 'GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ') STORED'
             WHEN a.attgenerated = 'v' THEN 'GENERATED ALWAYS AS (' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) || ')'
             WHEN a.attidentity = 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
             WHEN a.attidentity = 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY'
             ELSE 'DEFAULT ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
        CASE WHEN a.attnotnull AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid
             AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated) THEN 'NOT NULL' END),
        ', ' ORDER BY a.attnum)
     FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       AND (c.relispartition OR a.attislocal)) AS columns,
    (SELECT pg_catalog.string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
     FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) AS above
  FROM placed JOIN pg_catalog.pg_class c ON c.oid = placed.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  GROUP BY c.oid, c.relkind, c.relispartition, c.relpersistence, c.relpartbound
)
SELECT CASE WHEN relispartition THEN
    pg_catalog.concat_ws(' ', pg_catalog.format('CREATE TABLE %%s PARTITION OF %%s %%s', oid::regclass, above, pg_catalog.pg_get_expr(relpartbound, oid)),
      CASE WHEN relkind = 'p' THEN 'PARTITION BY ' || pg_catalog.pg_get_partkeydef(oid) END)
  ELSE
    pg_catalog.concat_ws(' ', CASE WHEN relpersistence = 'u' THEN 'CREATE UNLOGGED TABLE' ELSE 'CREATE TABLE' END,
      pg_catalog.format('%%s (%%s)', oid::regclass, columns), 'INHERITS (' || above || ')',
      CASE WHEN relkind = 'p' THEN 'PARTITION BY ' || pg_catalog.pg_get_partkeydef(oid) END)
  END
FROM described
ORDER BY depth, oid;

-- constraints: keys first, then what refers to them; NOT NULL stands with the columns
SELECT pg_catalog.format('ALTER TABLE ONLY %%s ADD CONSTRAINT %%I %%s', c.conrelid::regclass, c.conname, pg_catalog.pg_get_constraintdef(c.oid))
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE c.contype IN ('p', 'u', 'x', 'c', 'f') AND c.conparentid = 0 AND c.conislocal AND t.relkind IN ('r', 'p')
  AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
ORDER BY pg_catalog.array_position('{p,u,x,c,f}'::text[], c.contype::text), c.oid;

-- indexes: those that no constraint made
SELECT pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_' -- an INVALID one is there as well
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = i.indexrelid)
  AND (SELECT relkind FROM pg_catalog.pg_class t WHERE t.oid = i.indrelid) IN ('r', 'p')
ORDER BY i.indexrelid;

-- views: views and materialised views; a later one may read an earlier one
SELECT pg_catalog.format('CREATE %%s %%s AS %%s', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, c.oid::regclass,
  pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), ';'))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.oid;

-- view_indexes: the indexes of materialised views
SELECT pg_catalog.pg_get_indexdef(i.indexrelid)
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid AND t.relkind = 'm' JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
ORDER BY i.indexrelid;

-- later_functions: those that need a table for their arguments, result or parsed body
SELECT pg_catalog.regexp_replace(pg_catalog.pg_get_functiondef(p.oid), '\s+$', '')
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p') AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
  AND l.lanname NOT IN ('c', 'internal')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  AND (pg_catalog.to_jsonb(p) ->> 'prosqlbody' IS NOT NULL OR EXISTS (
    SELECT FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind <> 'c'
    WHERE t.oid = p.prorettype OR t.oid = ANY (coalesce(p.proallargtypes, p.proargtypes::oid[]))))
ORDER BY p.oid;

-- policies: whoever they are for, a column that they read can't change its type
SELECT pg_catalog.concat_ws(' ', pg_catalog.format('CREATE POLICY %%I ON %%s', p.polname, t.oid::regclass),
  'USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')',
  'WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')')
FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class t ON t.oid = p.polrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
ORDER BY p.oid;

-- triggers: the user's own
SELECT pg_catalog.pg_get_triggerdef(g.oid)
FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class t ON t.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE NOT g.tgisinternal AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
ORDER BY g.oid;

-- checked_bodies: as it was
SELECT 'RESET check_function_bodies';

-- sizes: rows as PostgreSQL estimates them (-1: never analysed), and bytes, for the linter's messages
SELECT pg_catalog.format('-- ec:size %%s', pg_catalog.json_build_array(n.nspname, c.relname, c.reltuples::bigint, pg_catalog.pg_relation_size(c.oid)))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname;
