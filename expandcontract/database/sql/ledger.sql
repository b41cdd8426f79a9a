-- version: the ledger's version and id; fails where there is none
SELECT version, id::text FROM ec.ledger ORDER BY version DESC LIMIT 1;

-- exists: whether this database has a ledger
SELECT pg_catalog.to_regclass('ec.ledger') IS NOT NULL;

-- now: the database's clock
SELECT pg_catalog.clock_timestamp();

-- steps: what is known of each step
SELECT revision, phase, state, parts_done, outside, title, writers, error, failed_at, started_at, finished_at
  FROM ec.step ORDER BY number;

-- releases: the releases with their last traffic
SELECT tag, last_traffic FROM ec.release;

-- shipped: the revisions in the releases' trees
SELECT release, revision, needs_backfill FROM ec.shipped;

-- colours: the colours, their releases and weights
SELECT name, release, weight FROM ec.colour ORDER BY name;

-- watched_since: when traffic was first recorded, or since when this copy of a database is watched
SELECT CASE WHEN pg_catalog.min(at) IS NOT NULL THEN greatest(pg_catalog.min(at), (SELECT pg_catalog.max(since) FROM ec.database WHERE number > 1)) END
  FROM ec.event WHERE kind = 'traffic' AND pg_catalog.jsonb_array_length(facts -> 'live') > 0;

-- ahead: the latest moment in the ledger that the database's clock hasn't reached
SELECT pg_catalog.max(at) FROM (SELECT at FROM ec.event UNION ALL SELECT ended_at FROM ec.observation) written
 WHERE at > pg_catalog.clock_timestamp();

-- sees_system: whether this role may ask for the cluster's identity
SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE');

-- system: the cluster's identity
SELECT CAST(system_identifier AS text) FROM pg_catalog.pg_control_system();

-- database: the oid of this database
SELECT CAST(oid AS bigint) FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database();

-- known_database: the one in which this ledger was last at home
SELECT system, oid FROM ec.database ORDER BY number DESC LIMIT 1;

-- put_database: the ledger is at home here from now on
INSERT INTO ec.database (system, oid) VALUES (%(system)s, %(oid)s);

-- traffic_timeline: that of the primary on which the traffic was last recorded
SELECT timeline FROM ec.database ORDER BY number DESC LIMIT 1;

-- put_traffic_timeline: the traffic is recorded on this one
UPDATE ec.database SET timeline = %(timeline)s
 WHERE number = (SELECT pg_catalog.max(number) FROM ec.database) AND timeline IS DISTINCT FROM %(timeline)s;

-- lock_router: nobody else moves traffic until this transaction ends; readers are not blocked
LOCK TABLE ec.colour IN SHARE ROW EXCLUSIVE MODE;

-- hold_router: until this transaction ends nobody moves traffic; waits for whoever is moving it
LOCK TABLE ec.colour IN SHARE MODE;

-- last_observation: the stretch of the newest look
SELECT id, began_at, ended_at, is_known FROM ec.observation ORDER BY id DESC LIMIT 1;

-- begin_observation: a stretch that begins with this look
INSERT INTO ec.observation (began_at, ended_at, is_known, said) VALUES (%(at)s, %(at)s, %(is_known)s, %(said)s);

-- go_on_observing: one more look of a stretch
UPDATE ec.observation SET ended_at = %(at)s, looks = looks + 1, said = %(said)s WHERE id = %(id)s;

-- observations: the stretches since a moment, oldest first
SELECT began_at, ended_at, is_known FROM ec.observation WHERE ended_at >= %(since)s ORDER BY began_at;

-- put_release: a release, or its newer last traffic
INSERT INTO ec.release (tag, last_traffic) VALUES (%(tag)s, %(last_traffic)s)
ON CONFLICT (tag) DO UPDATE SET last_traffic = EXCLUDED.last_traffic;

-- forget_shipped: before a release's tree is recorded anew
DELETE FROM ec.shipped WHERE release = %(tag)s;

-- put_shipped: the revisions of a release, as a JSON object of revision to needs_backfill
INSERT INTO ec.shipped (release, revision, needs_backfill)
SELECT %(tag)s, key, value::boolean FROM pg_catalog.jsonb_each_text(CAST(%(revisions)s AS jsonb));

-- put_colour: a colour as it is
INSERT INTO ec.colour (name, release, weight) VALUES (%(name)s, %(release)s, %(weight)s)
ON CONFLICT (name) DO UPDATE SET release = EXCLUDED.release, weight = EXCLUDED.weight;

-- drop_colour: a retired colour; its release stays known
DELETE FROM ec.colour WHERE name = %(name)s;

-- was_undone: whether a change has been taken back, and nothing of it has run since
SELECT EXISTS (SELECT FROM ec.event WHERE revision = %(revision)s AND kind = 'expand undone')
   AND NOT EXISTS (SELECT FROM ec.step WHERE revision = %(revision)s AND state <> 'pending');

-- was_retired: whether a colour of that name has been retired
SELECT EXISTS (SELECT FROM ec.event WHERE kind = 'retire' AND facts ->> 'colour' = %(name)s);

-- given_back: the change whose tombstone was the last to be undone, if nothing has come of it since
SELECT revision FROM (
    SELECT revision, kind FROM ec.event
     WHERE kind IN ('tombstone', 'tombstone undone', 'contract done') AND pg_catalog.starts_with(revision, %(name)s)
     ORDER BY id DESC LIMIT 1
) last WHERE kind = 'tombstone undone';

-- contract_has_begun: whether anything of a change's contract has been committed
SELECT EXISTS (SELECT FROM ec.step WHERE revision = %(revision)s AND phase = 'contract' AND state <> 'pending');

-- contracted: the changes whose contract is done
SELECT revision FROM ec.step WHERE phase = 'contract' AND state = 'done';

-- put_step: how far a step has come
INSERT INTO ec.step (revision, phase, state, title, parts_done, outside, writers, error, failed_at, finished_at)
VALUES (%(revision)s, %(phase)s, %(state)s, %(title)s, %(parts_done)s, %(outside)s, %(writers)s, %(error)s,
        CASE WHEN CAST(%(error)s AS text) IS NOT NULL THEN pg_catalog.clock_timestamp() END,
        CASE WHEN %(state)s = 'done' THEN pg_catalog.clock_timestamp() END)
ON CONFLICT (revision, phase) DO UPDATE
   SET state = EXCLUDED.state, title = EXCLUDED.title, parts_done = EXCLUDED.parts_done, outside = EXCLUDED.outside,
       writers = EXCLUDED.writers, error = EXCLUDED.error, failed_at = EXCLUDED.failed_at,
       finished_at = EXCLUDED.finished_at;

-- meanings: what steps meant
SELECT revision, phase, parts FROM ec.meaning;

-- put_meaning: what a step means now
INSERT INTO ec.meaning (revision, phase, parts) VALUES (%(revision)s, %(phase)s, %(parts)s)
ON CONFLICT (revision, phase) DO UPDATE SET parts = EXCLUDED.parts;

-- drop_meanings: of a change as if it had never been expanded
DELETE FROM ec.meaning WHERE revision = %(revision)s;

-- controls: what people decided about the windows of changes
SELECT revision, extended, closed_at, person, reason FROM ec.rollback_window;

-- extend_window: a longer window; one that was closed early is open again
INSERT INTO ec.rollback_window (revision, extended, person, reason)
VALUES (%(revision)s, %(seconds)s, %(person)s, %(reason)s)
ON CONFLICT (revision) DO UPDATE
   SET extended = rollback_window.extended + EXCLUDED.extended, closed_at = NULL,
       person = EXCLUDED.person, reason = EXCLUDED.reason;

-- close_window: closed early, now
INSERT INTO ec.rollback_window (revision, closed_at, person, reason)
VALUES (%(revision)s, pg_catalog.clock_timestamp(), %(person)s, %(reason)s)
ON CONFLICT (revision) DO UPDATE
   SET closed_at = EXCLUDED.closed_at, person = EXCLUDED.person, reason = EXCLUDED.reason;

-- drop_window: of a change as if it had never been expanded
DELETE FROM ec.rollback_window WHERE revision = %(revision)s;

-- approvals: the contracts that somebody has approved
SELECT revision, parts, person, given_at, reason FROM ec.approval;

-- put_approval: somebody approves a contract as it is now
INSERT INTO ec.approval (revision, parts, person, reason) VALUES (%(revision)s, %(parts)s, %(person)s, %(reason)s)
ON CONFLICT (revision) DO UPDATE
   SET parts = EXCLUDED.parts, person = EXCLUDED.person, reason = EXCLUDED.reason, given_at = EXCLUDED.given_at;

-- drop_approval: of a change as if it had never been expanded
DELETE FROM ec.approval WHERE revision = %(revision)s;

-- drop_steps: a change as if it had never been expanded
DELETE FROM ec.step WHERE revision = %(revision)s;

-- drop_backfill: its ranges go with it
DELETE FROM ec.backfill WHERE revision = %(revision)s;

-- put_event: one line of history
INSERT INTO ec.event (kind, revision, phase, person, host, pid, tree, facts)
VALUES (%(kind)s, %(revision)s, %(phase)s, %(person)s, %(host)s, %(pid)s, %(tree)s, CAST(%(facts)s AS jsonb));

-- writers: who has been granted to write tables of the ledger and can reach them, and which; PUBLIC is everybody, now or one day.
-- Neither its owner, nor who may become that, nor we and the roles that we have, nor those that are spared
SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END,
       pg_catalog.array_agg(DISTINCT pg_catalog.format('ec.%%I', c.relname) ORDER BY pg_catalog.format('ec.%%I', c.relname))
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'ec'
 CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS a
 WHERE c.relkind = 'r' AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
   AND (a.grantee = 0 OR EXISTS (
     SELECT FROM pg_catalog.pg_roles r
      WHERE CASE WHEN a.grantee = 0 THEN true ELSE pg_catalog.pg_has_role(r.oid, a.grantee, 'MEMBER') END
        AND NOT r.rolsuper AND r.rolname !~ '^pg_' AND NOT pg_catalog.pg_has_role(r.oid, c.relowner, 'MEMBER')
        AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE')))
   AND CASE WHEN a.grantee = 0 THEN true
            ELSE NOT pg_catalog.pg_has_role(current_user, a.grantee, 'MEMBER')
                 AND pg_catalog.pg_get_userbyid(a.grantee) <> ALL (CAST(%(spared)s AS text[])) END
 GROUP BY 1 ORDER BY 1;

-- events: the newest lines of history, oldest first
SELECT * FROM (
    SELECT id, at, kind, revision, phase, role, person, host, pid, tree, facts::text
      FROM ec.event
     WHERE CAST(%(revision)s AS text) IS NULL OR revision = %(revision)s
     ORDER BY id DESC LIMIT %(most)s
) newest ORDER BY id;
