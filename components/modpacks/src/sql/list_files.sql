-- $1 pack, $2 version or null, $3 viewer, $4 roles, $5 link
WITH asked AS (
    SELECT coalesce(max(level(pack, $3, $4, $5)), 0) AS allowed FROM pack WHERE id = $1
), seen AS (
    SELECT v.id, v.status
    FROM asked
    JOIN version AS v ON v.pack_id = $1 AND v.id = $2 AND sees_version(v, asked.allowed)
), listed AS (
    SELECT f AS it, f.path
    FROM asked
    JOIN file AS f ON f.pack_id = $1 AND f.version_id IS NOT DISTINCT FROM $2
    LEFT JOIN version AS v ON v.id = f.version_id
    WHERE asked.allowed > 0 AND sees_file(f, v, asked.allowed, $3, $4)
)
SELECT CASE
    WHEN asked.allowed = 0 THEN 'unknown_pack'
    WHEN $2 IS NOT NULL AND NOT EXISTS (SELECT FROM seen) THEN 'unknown_version'
    ELSE 'done'
END AS outcome, shown.*
FROM asked
LEFT JOIN listed ON true
CROSS JOIN LATERAL show_file(listed.it) AS shown
ORDER BY listed.path
