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
