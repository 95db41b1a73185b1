-- $1 pack, $2 viewer, $3 roles, $4 link, $5 channel, $6 version of the game, $7 loader, $8 limit, $9 offset
WITH asked AS (
    SELECT coalesce(max(level(pack, $2, $3, $4)), 0) AS allowed FROM pack WHERE id = $1
), listed AS (
    SELECT v AS it, v.seq
    FROM asked, version AS v
    WHERE v.pack_id = $1 AND sees_version(v, asked.allowed)
        AND ($5::text IS NULL OR v.channel = $5)
        AND ($6::text IS NULL OR v.mc_version = $6)
        AND ($7::text IS NULL OR v.loader = $7)
    ORDER BY v.seq DESC
    LIMIT $8::bigint OFFSET $9::bigint
)
SELECT CASE WHEN asked.allowed = 0 THEN 'unknown_pack' ELSE 'done' END AS outcome, shown.*
FROM asked
LEFT JOIN listed ON true
CROSS JOIN LATERAL show_version(listed.it, $2, $3, $4) AS shown
ORDER BY listed.seq DESC
