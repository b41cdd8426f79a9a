-- lock: one at a time takes samples and records them; readers are not blocked
LOCK TABLE ec.statement_series IN SHARE ROW EXCLUSIVE MODE;

-- series: of each node
SELECT node, began_at, ended_at, because, reset_at, evicted FROM ec.statement_series ORDER BY node;

-- entries: of a node, as its last sample had them; the text of those that were called since a moment
SELECT role, query_id, toplevel, calls, grew_at, CASE WHEN grew_at > %(since)s THEN query ELSE '' END
  FROM ec.statement WHERE node = %(node)s;

-- put_series: a node's series after one more sample
INSERT INTO ec.statement_series (node, began_at, ended_at, because, reset_at, evicted)
VALUES (%(node)s, %(began_at)s, %(ended_at)s, %(because)s, %(reset_at)s, %(evicted)s)
ON CONFLICT (node) DO UPDATE
   SET began_at = EXCLUDED.began_at, ended_at = EXCLUDED.ended_at, because = EXCLUDED.because,
       reset_at = EXCLUDED.reset_at, evicted = EXCLUDED.evicted;

-- put_entries: entries that are new, or were called since the last sample
INSERT INTO ec.statement (node, role, query_id, toplevel, calls, query, grew_at)
SELECT %(node)s, role, query_id, toplevel, calls, query, %(grew_at)s
  FROM pg_catalog.jsonb_to_recordset(CAST(%(entries)s AS jsonb))
       AS entry (role text, query_id bigint, toplevel boolean, calls bigint, query text)
ON CONFLICT (node, role, query_id, toplevel) DO UPDATE
   SET calls = EXCLUDED.calls, query = EXCLUDED.query, grew_at = EXCLUDED.grew_at;

-- drop_entries: those that the newest sample hasn't, where it begins a series
DELETE FROM ec.statement s WHERE s.node = %(node)s AND NOT EXISTS (
  SELECT FROM pg_catalog.jsonb_to_recordset(CAST(%(entries)s AS jsonb)) AS entry (role text, query_id bigint, toplevel boolean)
   WHERE (entry.role, entry.query_id, entry.toplevel) = (s.role, s.query_id, s.toplevel));
