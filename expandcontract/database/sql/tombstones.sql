-- standing: what each tombstone that stands has taken
SELECT revision, schema, relation, columns, since FROM ec.tombstone ORDER BY since, schema, relation;

-- hold: until this transaction ends nobody else puts or undoes one; readers are not blocked
LOCK TABLE ec.tombstone IN SHARE ROW EXCLUSIVE MODE;

-- owner: of a table, and its columns
SELECT c.relowner::pg_catalog.regrole::text,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
  FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%(relation)s);

-- privileges: granted on a table and its columns, but to its owner; the grantor's name is null where the owner granted it
SELECT g.rolname::text, p.privilege_type, p."column", p.is_grantable,
       CASE WHEN p.grantor <> p.relowner THEN p.grantor::pg_catalog.regrole::text END
  FROM (SELECT c.relowner, NULL::text AS "column", x.*
          FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) x
         WHERE c.oid = pg_catalog.to_regclass(%(relation)s)
        UNION ALL
        SELECT c.relowner, a.attname::text, x.*
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) x
         WHERE c.oid = pg_catalog.to_regclass(%(relation)s)) p
  LEFT JOIN pg_catalog.pg_roles g ON g.oid = p.grantee
 WHERE p.grantee <> p.relowner AND (p.grantee = 0 OR g.oid IS NOT NULL)
 ORDER BY 1 NULLS FIRST, 2, 3 NULLS FIRST;

-- reaching: the roles that may log in and can still use these columns (none named: the table), whatever they have it from
SELECT r.rolname::text,
       CASE WHEN r.rolsuper THEN 'a superuser'
            WHEN r.oid = c.relowner THEN 'the owner'
            WHEN pg_catalog.pg_has_role(r.oid, c.relowner, 'member') THEN 'a member of the owner'
            ELSE 'by another grant' END
  FROM pg_catalog.pg_roles r, pg_catalog.pg_class c
 WHERE c.oid = pg_catalog.to_regclass(%(relation)s) AND r.rolcanlogin
   AND (pg_catalog.pg_has_role(r.oid, c.relowner, 'member') -- by SET ROLE, where it doesn't inherit
     OR CASE WHEN CAST(%(columns)s AS text[]) = '{}'
            THEN pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
                 OR pg_catalog.has_any_column_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE')
            ELSE EXISTS (SELECT FROM pg_catalog.pg_attribute a
                          WHERE a.attrelid = c.oid AND a.attname = ANY (CAST(%(columns)s AS text[]))
                            AND pg_catalog.has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT, INSERT, UPDATE')) END)
 ORDER BY 1;

-- put_tombstone: what was taken of a table
INSERT INTO ec.tombstone (revision, schema, relation, columns) VALUES (%(revision)s, %(schema)s, %(relation)s, %(columns)s);

-- put_grants: the privileges as they were before
INSERT INTO ec.tombstone_grant (schema, relation, grantee, privilege, "column", is_grantable)
SELECT %(schema)s, %(relation)s, grantee, privilege, "column", is_grantable
  FROM pg_catalog.jsonb_to_recordset(CAST(%(grants)s AS jsonb)) AS grants (grantee text, privilege text, "column" text, is_grantable boolean);

-- grants: the privileges as they were before
SELECT grantee, privilege, "column", is_grantable FROM ec.tombstone_grant WHERE schema = %(schema)s AND relation = %(relation)s
 ORDER BY grantee NULLS FIRST, privilege, "column" NULLS FIRST;

-- drop_tombstone: it doesn't stand any more
DELETE FROM ec.tombstone WHERE schema = %(schema)s AND relation = %(relation)s;

-- roles: those of these that are there
SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY (CAST(%(roles)s AS text[]));
