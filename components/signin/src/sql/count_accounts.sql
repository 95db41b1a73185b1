-- All accounts, and those with each role. Erased people are none.
WITH held AS (SELECT roles FROM account WHERE erased_at IS NULL)
SELECT NULL::text AS role, count(*) AS accounts FROM held
UNION ALL
SELECT role, count(*) FROM held CROSS JOIN unnest(roles) AS role GROUP BY role
ORDER BY role NULLS FIRST
