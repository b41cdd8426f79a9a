-- relations: the relations of a name, in the one schema or in all of the user's, with the tables that inherit from them
WITH RECURSIVE named AS (
  SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relname = %(table)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     AND (CAST(%(schema)s AS text) IS NULL OR n.nspname = %(schema)s)
     AND n.nspname NOT IN ('information_schema', 'ec') AND NOT pg_catalog.starts_with(n.nspname, 'pg_')
  UNION
  SELECT i.inhrelid FROM named m JOIN pg_catalog.pg_inherits i ON i.inhparent = m.oid
)
SELECT n.nspname::text, c.relname::text,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
  FROM named m
  JOIN pg_catalog.pg_class c ON c.oid = m.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY 1, 2;

-- dependants: what stands on a relation, or on these columns of it, and isn't a part of it that nobody else needs
WITH gone AS (
  SELECT pg_catalog.to_regclass(%(relation)s)::oid AS oid,
         (SELECT pg_catalog.array_agg(a.attnum) FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = pg_catalog.to_regclass(%(relation)s) AND a.attname = ANY (CAST(%(columns)s AS text[]))) AS attnums
), found AS (
  SELECT DISTINCT d.classid, d.objid, gone.oid AS relation, gone.attnums,
         -- it is about other columns as well, which stay
         EXISTS (SELECT FROM pg_catalog.pg_depend o
                  WHERE o.classid = d.classid AND o.objid = d.objid AND o.refobjid = gone.oid
                    AND o.refclassid = d.refclassid AND o.refobjsubid > 0 AND NOT o.refobjsubid = ANY (gone.attnums)) AS serves_more
    FROM gone
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = gone.oid
     AND d.deptype IN ('n', 'a')
     AND (gone.attnums IS NULL OR d.refobjsubid = ANY (gone.attnums))
)
SELECT CASE WHEN r.rulename = '_RETURN' THEN pg_catalog.pg_describe_object('pg_catalog.pg_class'::pg_catalog.regclass, r.ev_class, 0)
            ELSE pg_catalog.pg_describe_object(f.classid, f.objid, 0) END, n.nspname::text,
       coalesce(p.proname, i.relname, s.stxname, owner.relname)::text,
       coalesce(CASE WHEN r.rulename <> '_RETURN' THEN r.rulename END, o.polname, t.tgname, k.conname)::text
  FROM found f
  LEFT JOIN pg_catalog.pg_rewrite r ON f.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = f.objid
  LEFT JOIN pg_catalog.pg_policy o ON f.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND o.oid = f.objid
  LEFT JOIN pg_catalog.pg_trigger t ON f.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND t.oid = f.objid
  LEFT JOIN pg_catalog.pg_constraint k ON f.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = f.objid
  LEFT JOIN pg_catalog.pg_attrdef e ON f.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND e.oid = f.objid
  LEFT JOIN pg_catalog.pg_proc p ON f.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = f.objid
  LEFT JOIN pg_catalog.pg_statistic_ext s ON f.classid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass AND s.oid = f.objid
  LEFT JOIN pg_catalog.pg_class i ON f.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND i.oid = f.objid
  LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
  LEFT JOIN pg_catalog.pg_class owner ON owner.oid = coalesce(r.ev_class, o.polrelid, t.tgrelid, k.conrelid, e.adrelid)
  LEFT JOIN pg_catalog.pg_namespace n
    ON n.oid = coalesce(p.pronamespace, i.relnamespace, s.stxnamespace, owner.relnamespace)
 WHERE NOT coalesce(
         -- a view's own query; sequences, partitions and types go with what they belong to
         r.ev_class = f.relation AND r.rulename = '_RETURN' OR i.relkind IN ('S', 'r', 'p', 't') OR t.tgisinternal
         -- parts of the table that goes
         OR f.attnums IS NULL
            AND f.relation IN (r.ev_class, o.polrelid, t.tgrelid, k.conrelid, e.adrelid, s.stxrelid, x.indrelid)
         -- the default of the column that goes
         OR e.adrelid = f.relation AND e.adnum = ANY (f.attnums)
         -- indexes, constraints and statistics that are about nothing else
         OR f.attnums IS NOT NULL AND NOT f.serves_more AND f.relation IN (k.conrelid, s.stxrelid, x.indrelid)
            AND coalesce(k.contype, 'x') <> 't', false)
   AND f.classid <> 'pg_catalog.pg_type'::pg_catalog.regclass
 ORDER BY 1;

-- functions: those whose body is text, with the relations whose triggers call them
SELECT p.oid::pg_catalog.regprocedure::text, n.nspname::text, p.proname::text, l.lanname::text, p.prosrc,
       CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN pg_catalog.pg_get_functiondef(p.oid) END,
       ARRAY(SELECT DISTINCT tn.nspname::text || '.' || tc.relname::text
               FROM pg_catalog.pg_trigger t
               JOIN pg_catalog.pg_class tc ON tc.oid = t.tgrelid
               JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
              WHERE t.tgfoid = p.oid)
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
 WHERE p.prokind IN ('f', 'p') AND l.lanname NOT IN ('internal', 'c')
   AND n.nspname NOT IN ('information_schema', 'ec') AND NOT pg_catalog.starts_with(n.nspname, 'pg_')
   AND pg_catalog.to_jsonb(p) ->> 'prosqlbody' IS NULL -- what has a tree of its own is among the dependants
   -- those of a Sync come and go with its triggers
   AND NOT pg_catalog.starts_with(p.proname, 'ec_sync_')
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
 ORDER BY 1;

-- publications: those that send every column of a relation to somebody
SELECT p.pubname::text FROM pg_catalog.pg_publication_tables p
 WHERE p.schemaname = %(schema)s AND p.tablename = %(table)s ORDER BY 1;
