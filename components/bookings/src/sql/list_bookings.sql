-- $1 driver, $2 place, $3 the viewer: the driver, or the owner of that place; $4 the viewer may see their own
-- bookings there, $5 status, $6 and $7 window, $8 the booking after which the list goes
-- on, $9 limit, $10 offset
-- A removed place is still known: its owner sees what was booked there.
WITH asked AS (
    SELECT CASE
        WHEN $2::bigint IS NOT NULL AND place.id IS NULL THEN 'unknown_place'
        WHEN $3::uuid IS NULL OR place.owner = $3 OR $4::boolean THEN 'listed'
        ELSE 'forbidden'
    END AS outcome, place.owner
    FROM (VALUES (1)) AS once
    LEFT JOIN place ON place.id = $2
)
SELECT outcome, listed.*
FROM asked
LEFT JOIN (
    SELECT shown.*
    FROM booking
    CROSS JOIN LATERAL show_booking(booking) AS shown
    WHERE deleted_at IS NULL
        AND ($1::uuid IS NULL OR booking.driver = $1)
        AND ($2::bigint IS NULL OR booking.place_id = $2)
        AND ($3::uuid IS NULL OR booking.driver = $3 OR $3 = (SELECT owner FROM asked))
        AND ($5::text IS NULL OR booking.status = $5)
        AND ($6::bigint IS NULL OR booking.date_to > moment($6))
        AND ($7::bigint IS NULL OR booking.date_from < moment($7))
        AND ($8::bigint IS NULL OR booking.id < $8)
    ORDER BY booking.id DESC
    LIMIT $9::bigint OFFSET $10::bigint
) AS listed ON outcome = 'listed'
ORDER BY listed.id DESC
