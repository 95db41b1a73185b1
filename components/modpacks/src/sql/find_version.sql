-- $1 pack, $2 version, $3 viewer, $4 roles, $5 link
SELECT CASE
    WHEN asked.allowed = 0 THEN 'unknown_pack'
    WHEN shown.id IS NULL THEN 'unknown_version'
    ELSE 'done'
END AS outcome, shown.*
FROM (
    SELECT coalesce(max(level(pack, $3, $4, $5)), 0) AS allowed FROM pack WHERE id = $1
) AS asked
LEFT JOIN version AS v ON v.pack_id = $1 AND v.id = $2 AND sees_version(v, asked.allowed)
CROSS JOIN LATERAL show_version(v, $3, $4, $5) AS shown
