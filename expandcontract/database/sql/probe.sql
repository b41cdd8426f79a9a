-- role: whether it is a superuser, we may become it, we are one, it is (a member of) an owner of tables, and it may read any
WITH user_table AS (
  SELECT c.oid, c.relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname NOT LIKE 'pg\_%%')
SELECT r.rolsuper,
       CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000
            THEN pg_catalog.pg_has_role(r.oid, 'SET') ELSE pg_catalog.pg_has_role(r.oid, 'MEMBER') END,
       (SELECT me.rolsuper FROM pg_catalog.pg_roles me WHERE me.rolname = current_user),
       EXISTS (SELECT FROM user_table t WHERE pg_catalog.pg_has_role(r.oid, t.relowner, 'USAGE')),
       EXISTS (SELECT FROM user_table t WHERE pg_catalog.has_any_column_privilege(r.oid, t.oid, 'SELECT'))
  FROM pg_catalog.pg_roles r WHERE r.rolname = %(role)s;

-- terms: until the transaction ends: how long we wait and plan, plans for whatever parameters, and the table's name means this one
SELECT pg_catalog.set_config('lock_timeout', %(limit)s, true), pg_catalog.set_config('statement_timeout', %(limit)s, true),
       pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true),
       pg_catalog.set_config('search_path', pg_catalog.quote_ident(%(schema)s) || ', ' || %(path)s, true);

-- reaches: what keeps the role from lacking these columns (none named: the table); nothing where it lacks them
SELECT CASE WHEN pg_catalog.pg_has_role(r.oid, c.relowner, 'USAGE') THEN 'it is the owner of the table, or a member of it'
            ELSE 'it has a grant that ec may not take, or is a member of pg_read_all_data or pg_write_all_data' END
  FROM pg_catalog.pg_roles r, pg_catalog.pg_class c
 WHERE r.rolname = %(role)s AND c.oid = pg_catalog.to_regclass(%(relation)s)
   AND CASE WHEN CAST(%(columns)s AS text[]) = '{}'
            THEN pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
                 OR pg_catalog.has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE')
            ELSE EXISTS (SELECT FROM pg_catalog.pg_attribute a
                          WHERE a.attrelid = c.oid AND a.attname = ANY (CAST(%(columns)s AS text[]))
                            AND pg_catalog.has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT, INSERT, UPDATE')) END;

-- shared_names: of tables and views in more than one schema, so that a text without the schema may mean either
SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname NOT LIKE 'pg\_%%'
 GROUP BY c.relname HAVING pg_catalog.count(*) > 1;
