-- The schema on which lock_facts.jsonl was measured, as far as its statements show it.
CREATE SCHEMA app2;
CREATE SEQUENCE s1;
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TYPE comp AS (a int, b int);
CREATE DOMAIN plain_dom AS integer;
CREATE DOMAIN posint AS integer CHECK (VALUE > 0);
CREATE DOMAIN money_pos AS integer;
CREATE FUNCTION stab() RETURNS int LANGUAGE sql STABLE AS 'select 1';
CREATE FUNCTION imm() RETURNS int LANGUAGE sql IMMUTABLE AS 'select 1';
CREATE FUNCTION vol() RETURNS int LANGUAGE sql VOLATILE AS 'select 1';
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS $$begin return new; end$$;
CREATE TABLE p (id bigint PRIMARY KEY);
CREATE TABLE t (
  id bigint PRIMARY KEY, a integer, b integer NOT NULL DEFAULT 0, b2 bigint NOT NULL DEFAULT 0, c integer,
  sm smallint, pid bigint, x text, v50 varchar(50), tx text, vx text, vidx varchar(50),
  vchk varchar(50), n102 numeric(10,2), nu numeric, d date, ts timestamp, ts3 timestamp(3),
  tsu timestamp, tsi timestamptz, tz timestamptz, tm3 time(3), iv3 interval(3), ct citext, ci cidr, ine inet, js json,
  jb jsonb, ch char(10), bt bit(8), vb varbit(8), arr varchar(20)[], r real, xm xml, oi oid, pg_dom posint, m mood,
  by bytea, bl boolean, trk varchar(60), nn_chk integer, nn_chkv integer,
  CONSTRAINT vchk_len CHECK (length(vchk) > 0),
  CONSTRAINT nnv CHECK (nn_chkv IS NOT NULL)
);
ALTER TABLE t ADD CONSTRAINT nnn CHECK (nn_chk IS NOT NULL) NOT VALID;
CREATE INDEX t_x_idx ON t (x);
CREATE UNIQUE INDEX t_a_uq ON t (a);
CREATE UNIQUE INDEX t_b2 ON t (b2);
CREATE INDEX t_vidx ON t (vidx);
CREATE INDEX t_ts ON t (ts);
CREATE INDEX t_tsu ON t (tsu);
CREATE INDEX t_lowtrk ON t (lower(trk));
CREATE TRIGGER t_trg BEFORE UPDATE ON t FOR EACH ROW EXECUTE PROCEDURE trg();
CREATE TABLE child (id bigint PRIMARY KEY, tid bigint, pid bigint);
ALTER TABLE child ADD CONSTRAINT child_tid_fkey FOREIGN KEY (tid) REFERENCES t (id);
ALTER TABLE child ADD CONSTRAINT child_pid_nv FOREIGN KEY (pid) REFERENCES p (id) NOT VALID;
CREATE TABLE noconstr (id bigint NOT NULL, k integer, s text);
CREATE UNIQUE INDEX noconstr_id ON noconstr (id);
CREATE UNIQUE INDEX noconstr_k ON noconstr (k);
CREATE TABLE idn (id bigint NOT NULL);
CREATE VIEW vw AS SELECT id, a, b FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT id, x FROM t;
CREATE TABLE noparent (id bigint, k integer, s text);
CREATE TABLE kid () INHERITS (noparent);
CREATE TABLE pt (id bigint, k integer, s text) PARTITION BY RANGE (k);
CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM (0) TO (100);
CREATE TABLE pt2 PARTITION OF pt FOR VALUES FROM (100) TO (200);
CREATE TABLE pt3 (id bigint, k integer, s text);
CREATE TABLE pt4 (id bigint, k integer NOT NULL, s text, CHECK (k >= 300 AND k < 400));
CREATE TABLE defp (id bigint) PARTITION BY RANGE (id);
CREATE TABLE defp1 PARTITION OF defp FOR VALUES FROM (0) TO (10);
CREATE TABLE defpd PARTITION OF defp DEFAULT;
CREATE TABLE dp_ready (id bigint NOT NULL, CHECK (id >= 20 AND id < 30));
CREATE TABLE dp_nocheck (id bigint);
CREATE TABLE usesdom (id bigint, d money_pos);
CREATE TABLE usescomp OF comp;
CREATE TABLE gens (id bigint, a integer, g integer GENERATED ALWAYS AS (a + 1) STORED);
CREATE UNLOGGED TABLE unl (id bigint);
CREATE PUBLICATION pub1 FOR TABLE p;
