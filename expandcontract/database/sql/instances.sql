-- may_ask: whether this role may ask a server who it is
SELECT pg_catalog.bool_and(pg_catalog.has_function_privilege(name, 'EXECUTE'))
  FROM pg_catalog.unnest(ARRAY['pg_catalog.pg_control_system()', 'pg_catalog.pg_control_checkpoint()', 'pg_catalog.pg_control_recovery()',
                    'pg_catalog.pg_current_wal_insert_lsn()', 'pg_catalog.pg_walfile_name(pg_lsn)']) AS name;

-- what_it_is: whether the server is in recovery, and when its postmaster began
SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.pg_postmaster_start_time();

-- primary: the system, and the timeline on which this primary writes; that of its last checkpoint is the one before for
-- minutes after a promotion (https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES)
SELECT CAST(s.system_identifier AS text),
       ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 8))::pg_catalog.bit(32)::pg_catalog.int4
  FROM pg_catalog.pg_control_system() AS s;

-- standby: the system, and the newest timeline that this standby is known to have replayed
SELECT CAST(s.system_identifier AS text), GREATEST(c.timeline_id, r.min_recovery_end_timeline)
  FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_control_checkpoint() AS c, pg_catalog.pg_control_recovery() AS r;
