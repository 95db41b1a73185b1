-- $1 driver, $2 the version that they have, $3 place in the feed, $4 limit, $5 offset
-- A driver who has the current version costs one row: the condition stands inside the subquery, so that it is checked before
-- fines are read.
WITH me AS (
    SELECT coalesce(max(version), 0) AS version FROM driver WHERE user_id = $1
)
SELECT me.version, listed.*
FROM me
LEFT JOIN LATERAL (
    SELECT feed.seq AS cursor, shown.*
    FROM feed
    JOIN fine ON fine.id = fine_id
    CROSS JOIN LATERAL show_fine(fine) AS shown
    WHERE me.version IS DISTINCT FROM $2::bigint
        AND feed.user_id = $1 AND feed.seq > coalesce($3::bigint, 0) AND hidden_at IS NULL
    ORDER BY CASE WHEN $3 IS NULL THEN -feed.seq ELSE feed.seq END
    LIMIT $4::bigint OFFSET $5::bigint
) AS listed ON true
ORDER BY CASE WHEN $3 IS NULL THEN -listed.cursor ELSE listed.cursor END
