-- $1 driver, $2 place, $3 who must be the driver or the owner of that place, $4 whether they may see their
-- own there, $5 status, $6 and $7 window in ms, $8 limit, $9 offset
-- A removed place is known: its owner has what was booked there.
WITH asked AS (
    SELECT CASE
        WHEN $2::bigint IS NOT NULL AND place.id IS NULL THEN 'unknown_place'
        WHEN $3::uuid IS NULL OR place.owner = $3 OR $4::boolean THEN 'listed'
        ELSE 'forbidden'
    END AS outcome, place.owner
    FROM (VALUES (1)) AS once
    LEFT JOIN place ON place.id = $2
)
SELECT outcome, listed.id, place_id, driver, full_cost, status,
    (extract(epoch FROM date_from) * 1000)::bigint AS date_from,
    (extract(epoch FROM date_to) * 1000)::bigint AS date_to
FROM asked
LEFT JOIN (
    SELECT *
    FROM booking
    WHERE deleted_at IS NULL
        AND ($1::uuid IS NULL OR driver = $1)
        AND ($2::bigint IS NULL OR place_id = $2)
        AND ($3::uuid IS NULL OR driver = $3 OR $3 = (SELECT owner FROM asked))
        AND ($5::text IS NULL OR status = $5)
        AND ($6::bigint IS NULL OR date_to > to_timestamp($6::bigint / 1000.0))
        AND ($7::bigint IS NULL OR date_from < to_timestamp($7::bigint / 1000.0))
    ORDER BY id DESC
    LIMIT $8::bigint OFFSET $9::bigint
) AS listed ON outcome = 'listed'
ORDER BY listed.id DESC
