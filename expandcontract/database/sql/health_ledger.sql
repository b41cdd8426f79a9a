-- take_watch: be the one who looks at a backfill's health, unless somebody else is, what the last one left behind
INSERT INTO ec.backfill_health AS h (revision, watcher, leased_until)
VALUES (%(revision)s, %(watcher)s, pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => %(lease)s))
ON CONFLICT (revision) DO UPDATE SET watcher = EXCLUDED.watcher, leased_until = EXCLUDED.leased_until
 WHERE h.watcher = EXCLUDED.watcher OR h.leased_until < pg_catalog.clock_timestamp()
RETURNING share, stopped_by;

-- put_health: what a look came to, no row where somebody else watches by now
UPDATE ec.backfill_health
   SET looked_at = pg_catalog.clock_timestamp(), share = %(share)s, stopped_by = %(stopped_by)s, reason = %(reason)s,
       wal_ceiling = '0/0'::pg_lsn + CAST(%(wal_ceiling)s AS numeric)
 WHERE revision = %(revision)s AND watcher = %(watcher)s
RETURNING revision;

-- leave_watch: somebody else may look at once, and nobody relies on what was seen last
UPDATE ec.backfill_health SET leased_until = '-infinity', looked_at = NULL
 WHERE revision = %(revision)s AND watcher = %(watcher)s
RETURNING revision;

-- lasting: what slows the backfill down or stops it, as far as the ledger knows
SELECT about, kind FROM ec.backfill_throttle WHERE revision = %(revision)s AND ended_at IS NULL;

-- begin_throttle: it begins, what ended a moment ago goes on
WITH again AS (
  UPDATE ec.backfill_throttle SET ended_at = NULL
   WHERE id = (SELECT id FROM ec.backfill_throttle
                WHERE revision = %(revision)s AND about = %(about)s AND kind = %(kind)s
                  AND ended_at > pg_catalog.clock_timestamp() - interval '10 s'
                ORDER BY id DESC LIMIT 1)
  RETURNING id)
INSERT INTO ec.backfill_throttle (revision, about, kind, reason)
SELECT %(revision)s, %(about)s, %(kind)s, %(reason)s WHERE NOT EXISTS (SELECT FROM again);

-- end_throttle: it has ended, without a signal, all of them
UPDATE ec.backfill_throttle SET ended_at = pg_catalog.clock_timestamp()
 WHERE revision = %(revision)s AND ended_at IS NULL
   AND (CAST(%(about)s AS text) IS NULL OR about = %(about)s AND kind = %(kind)s);

-- throttles: what slowed the backfill down or stopped it, and when, the earliest first
SELECT about, kind, reason, began_at, ended_at FROM ec.backfill_throttle WHERE revision = %(revision)s ORDER BY id;
