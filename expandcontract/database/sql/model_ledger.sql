-- known: the tables that the models of a release declare
SELECT relation, columns, schema FROM ec.declared WHERE release = %(release)s ORDER BY schema NULLS FIRST, relation;

-- has_models: whether it is known what the models of a release declare
SELECT has_models FROM ec.release WHERE tag = %(release)s;

-- forget: before a release's models are recorded anew
DELETE FROM ec.declared WHERE release = %(release)s;

-- put: the tables that the models of a release declare
INSERT INTO ec.declared (release, schema, relation, columns)
SELECT %(release)s, one.schema, one."table", one.columns
  FROM pg_catalog.jsonb_to_recordset(CAST(%(models)s AS jsonb)) AS one (schema text, "table" text, columns text[]);

-- mark: it is known what the models of a release declare
UPDATE ec.release SET has_models = true WHERE tag = %(release)s;

-- declaring: the releases whose models declare a column, or any of the table where none is named
SELECT DISTINCT d.release FROM ec.declared d
 WHERE d.relation = %(table)s AND (d.schema IS NULL OR d.schema = %(schema)s)
   AND (CAST(%(column)s AS text) IS NULL OR %(column)s = ANY (d.columns));

-- without: the releases of which nobody knows what their models declare
SELECT tag FROM ec.release WHERE NOT has_models;

-- forget_removed: before a contract's removals are recorded anew
DELETE FROM ec.removed WHERE revision = %(revision)s;

-- put_removed: what a contract removes
INSERT INTO ec.removed (revision, schema, relation, "column")
SELECT %(revision)s, one.schema, one."table", one."column"
  FROM pg_catalog.jsonb_to_recordset(CAST(%(removed)s AS jsonb)) AS one (schema text, "table" text, "column" text);

-- gone: what the models of a release declare that a contract has removed and nobody has made anew, or that a tombstone took
WITH gone AS (
  SELECT r.revision, r.schema, r.relation, r."column" FROM ec.removed r
   WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = coalesce(r.schema, n.nspname)
                       JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
                      WHERE c.relname = r.relation AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attname = coalesce(r."column", a.attname))
  UNION ALL
  SELECT t.revision, t.schema, t.relation, taken FROM ec.tombstone t LEFT JOIN LATERAL pg_catalog.unnest(t.columns) taken ON true)
SELECT DISTINCT d.release, g.revision, g.relation, g."column", g.schema
  FROM gone g
  JOIN ec.declared d ON d.relation = g.relation AND (d.schema = g.schema OR d.schema IS NULL OR g.schema IS NULL)
   AND (g."column" IS NULL OR g."column" = ANY (d.columns));
