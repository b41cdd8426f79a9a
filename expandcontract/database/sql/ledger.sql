-- version: the ledger's version and id; fails where there is none
SELECT version, id::text FROM ec.ledger ORDER BY version DESC LIMIT 1;

-- exists: whether this database has a ledger
SELECT to_regclass('ec.ledger') IS NOT NULL;

-- now: the database's clock
SELECT clock_timestamp();

-- steps: what is known of each step
SELECT revision, phase, state, parts_done, outside, title, writers, error, started_at, finished_at
  FROM ec.step ORDER BY number;

-- releases: the releases with their last traffic
SELECT tag, last_traffic FROM ec.release;

-- shipped: the revisions in the releases' trees
SELECT release, revision, needs_backfill FROM ec.shipped;

-- colours: the colours, their releases and weights
SELECT name, release, weight FROM ec.colour ORDER BY name;

-- watched_since: when traffic was first recorded
SELECT min(at) FROM ec.event WHERE kind = 'traffic' AND jsonb_array_length(facts -> 'live') > 0;

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

-- observed_last: the latest moment of any look
SELECT max(ended_at) FROM ec.observation;

-- put_release: a release, or its newer last traffic
INSERT INTO ec.release (tag, last_traffic) VALUES (%(tag)s, %(last_traffic)s)
ON CONFLICT (tag) DO UPDATE SET last_traffic = EXCLUDED.last_traffic;

-- forget_shipped: before a release's tree is recorded anew
DELETE FROM ec.shipped WHERE release = %(tag)s;

-- put_shipped: the revisions of a release, as a JSON object of revision to needs_backfill
INSERT INTO ec.shipped (release, revision, needs_backfill)
SELECT %(tag)s, key, value::boolean FROM jsonb_each_text(CAST(%(revisions)s AS jsonb));

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

-- contract_has_begun: whether anything of a change's contract has been committed
SELECT EXISTS (SELECT FROM ec.step WHERE revision = %(revision)s AND phase = 'contract' AND state <> 'pending');

-- contracted: the changes whose contract is done
SELECT revision FROM ec.step WHERE phase = 'contract' AND state = 'done';

-- put_step: how far a step has come
INSERT INTO ec.step (revision, phase, state, title, parts_done, outside, writers, error, finished_at)
VALUES (%(revision)s, %(phase)s, %(state)s, %(title)s, %(parts_done)s, %(outside)s, %(writers)s, %(error)s,
        CASE WHEN %(state)s = 'done' THEN clock_timestamp() END)
ON CONFLICT (revision, phase) DO UPDATE
   SET state = EXCLUDED.state, title = EXCLUDED.title, parts_done = EXCLUDED.parts_done, outside = EXCLUDED.outside,
       writers = EXCLUDED.writers, error = EXCLUDED.error, finished_at = EXCLUDED.finished_at;

-- meanings: what steps meant
SELECT revision, phase, parts FROM ec.meaning;

-- put_meaning: what a step means now
INSERT INTO ec.meaning (revision, phase, parts) VALUES (%(revision)s, %(phase)s, %(parts)s)
ON CONFLICT (revision, phase) DO UPDATE SET parts = EXCLUDED.parts;

-- drop_meanings: of a change as if it had never been expanded
DELETE FROM ec.meaning WHERE revision = %(revision)s;

-- drop_steps: a change as if it had never been expanded
DELETE FROM ec.step WHERE revision = %(revision)s;

-- drop_backfill: its ranges go with it
DELETE FROM ec.backfill WHERE revision = %(revision)s;

-- put_event: one line of history
INSERT INTO ec.event (kind, revision, phase, person, host, pid, tree, facts)
VALUES (%(kind)s, %(revision)s, %(phase)s, %(person)s, %(host)s, %(pid)s, %(tree)s, CAST(%(facts)s AS jsonb));

-- events: the newest lines of history, oldest first
SELECT * FROM (
    SELECT id, at, kind, revision, phase, role, person, host, pid, tree, facts::text
      FROM ec.event
     WHERE CAST(%(revision)s AS text) IS NULL OR revision = %(revision)s
     ORDER BY id DESC LIMIT %(most)s
) newest ORDER BY id;
