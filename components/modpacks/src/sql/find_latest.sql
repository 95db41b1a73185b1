-- $1 pack, $2 viewer, $3 roles, $4 link, $5 channel, $6 version of the game, $7 loader
SELECT CASE
    WHEN asked.allowed IS NULL OR asked.allowed = 0 THEN 'unknown_pack'
    WHEN shown.id IS NULL THEN 'unknown_version'
    ELSE 'done'
END AS outcome, shown.*
FROM (VALUES (1)) AS once
LEFT JOIN (
    SELECT level(pack, $2, $3, $4) AS allowed, latest_version(pack, $5, $6, $7) AS latest FROM pack WHERE id = $1
) AS asked ON true
LEFT JOIN version AS v ON asked.allowed > 0 AND v.id = asked.latest
CROSS JOIN LATERAL show_version(v, $2, $3, $4) AS shown
