-- columns: what a Sync must know of each column of a table; reads the catalogue only, locks nothing
WITH RECURSIVE base AS (
  SELECT a.attnum, a.atttypid AS type, a.atttypmod AS modifier
    FROM pg_catalog.pg_attribute a
   WHERE a.attrelid = pg_catalog.to_regclass(%(table)s) AND a.attnum > 0 AND NOT a.attisdropped
   UNION ALL
  SELECT b.attnum, t.typbasetype, t.typtypmod
    FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype = 'd'
)
SELECT a.attname,
       -- without its domain: a variable or a cast of a domain would enforce its constraints too early
       pg_catalog.format_type(b.type, b.modifier),
       CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(f.tree, coalesce(d.adrelid, 0)) END,
       a.attnotnull OR declared.typnotnull,
       CASE
         WHEN a.attgenerated <> '' THEN 'is generated'
         WHEN a.attidentity <> '' THEN 'is an identity column'
         -- a volatile default can't be compared with: what the writer wrote and what the default gave look alike
         WHEN EXISTS (
           SELECT FROM pg_catalog.regexp_matches(f.tree::pg_catalog.text, '(func|opfunc)id (\d+)', 'g') AS called
             JOIN pg_catalog.pg_proc p ON p.oid = called[2]::pg_catalog.oid
            WHERE p.provolatile = 'v'
         ) THEN 'has a volatile default'
       END,
       -- whether equal values are identical, as an index must know that stores equal keys once:
       -- https://www.postgresql.org/docs/current/btree.html#BTREE-SUPPORT-FUNCS (equalimage)
       coalesce(c.collisdeterministic, true) AND EXISTS (
         SELECT FROM pg_catalog.pg_opclass o
           JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod AND m.amname = 'btree'
           JOIN pg_catalog.pg_amproc p
             ON p.amprocfamily = o.opcfamily AND p.amproclefttype = o.opcintype AND p.amprocrighttype = o.opcintype
            AND p.amprocnum = 4 AND p.amproc IN ('pg_catalog.btequalimage'::pg_catalog.regproc, 'pg_catalog.btvarstrequalimage'::pg_catalog.regproc)
          WHERE o.opcdefault
            AND o.opcintype = CASE
                  WHEN t.typtype = 'e' THEN 'pg_catalog.anyenum'::pg_catalog.regtype
                  WHEN b.type = 'pg_catalog.varchar'::pg_catalog.regtype THEN 'pg_catalog.text'::pg_catalog.regtype
                  ELSE b.type
                END
       )
  FROM base b
  JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype <> 'd'
  JOIN pg_catalog.pg_attribute a ON a.attrelid = pg_catalog.to_regclass(%(table)s) AND a.attnum = b.attnum
  JOIN pg_catalog.pg_type declared ON declared.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
  CROSS JOIN LATERAL (SELECT coalesce(d.adbin, declared.typdefaultbin) AS tree) AS f
 ORDER BY a.attnum;

-- depends_on_search_path: whether a view names something that isn't built in, beside the table that it reads
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
   WHERE r.ev_class = pg_catalog.to_regclass(%(view)s)
     AND d.deptype = 'n'
     -- built-in objects are pinned and have no rows here
     AND NOT (d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = pg_catalog.to_regclass(%(table)s))
);

-- functions: the triggers of a table with the functions that they call
SELECT t.tgname, n.nspname, p.proname
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE t.tgrelid = pg_catalog.to_regclass(%(table)s)
   AND NOT t.tgisinternal;
