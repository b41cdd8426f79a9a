-- sql_functions: functions in SQL, which deployed_schema leaves out since they need their tables first
SELECT pg_get_functiondef(p.oid)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p') AND n.nspname NOT IN ('information_schema', 'ec') AND n.nspname !~ '^pg_'
  AND l.lanname = 'sql' AND p.prorettype <> 'trigger'::regtype
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY p.oid;
