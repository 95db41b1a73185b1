-- $1 driver, $2 place, $3 the viewer: the driver, or the owner of that place; $4 the viewer may see their own
-- bookings there, $5 status, $6 and $7 window, $8 the booking after which the list goes
-- on, $9 limit, $10 offset
-- A removed place is still known: its owner sees what was booked there. Only one of the three parts of `found` has rows.
-- Each is written as a range, so that its index alone gives the newest bookings of each status: a page costs what it shows.
WITH asked AS (
    SELECT CASE
        WHEN $2::bigint IS NOT NULL AND place.id IS NULL THEN 'unknown_place'
        WHEN $3::uuid IS NULL OR place.owner = $3 OR $4::boolean THEN 'listed'
        ELSE 'forbidden'
    END AS outcome,
    CASE WHEN $3 IS NULL OR place.owner = $3 THEN $1::uuid ELSE $3 END AS driver,
    coalesce($8, 9223372036854775807) AS before
    FROM (VALUES (1)) AS once
    LEFT JOIN place ON place.id = $2
), wanted AS (
    SELECT asked.*, known.status
    FROM asked
    JOIN (VALUES ('Waiting'), ('Confirmed'), ('Canceled')) AS known (status) ON $5::text IS NULL OR known.status = $5
    WHERE outcome = 'listed'
), found AS (
    SELECT newest.id
    FROM wanted
    CROSS JOIN LATERAL (
        SELECT booking.id
        FROM booking
        WHERE wanted.driver IS NOT NULL AND booking.deleted_at IS NULL
            AND (booking.driver, booking.status, booking.id) < (wanted.driver, wanted.status, wanted.before)
            AND (booking.driver, booking.status) >= (wanted.driver, wanted.status)
            AND ($2 IS NULL OR booking.place_id = $2)
            AND ($6::bigint IS NULL OR booking.date_to > moment($6))
            AND ($7::bigint IS NULL OR booking.date_from < moment($7))
        ORDER BY booking.driver DESC, booking.status DESC, booking.id DESC
        LIMIT $9::bigint + $10::bigint
    ) AS newest
    UNION ALL
    SELECT newest.id
    FROM wanted
    CROSS JOIN LATERAL (
        SELECT booking.id
        FROM booking
        WHERE wanted.driver IS NULL AND $2 IS NOT NULL AND booking.deleted_at IS NULL
            AND (booking.place_id, booking.status, booking.id) < ($2, wanted.status, wanted.before)
            AND (booking.place_id, booking.status) >= ($2, wanted.status)
            AND ($6 IS NULL OR booking.date_to > moment($6))
            AND ($7 IS NULL OR booking.date_from < moment($7))
        ORDER BY booking.place_id DESC, booking.status DESC, booking.id DESC
        LIMIT $9 + $10
    ) AS newest
    UNION ALL
    SELECT newest.id
    FROM wanted
    CROSS JOIN LATERAL (
        SELECT booking.id
        FROM booking
        WHERE wanted.driver IS NULL AND $2 IS NULL AND booking.deleted_at IS NULL
            AND (booking.status, booking.id) < (wanted.status, wanted.before) AND booking.status >= wanted.status
            AND ($6 IS NULL OR booking.date_to > moment($6))
            AND ($7 IS NULL OR booking.date_from < moment($7))
        ORDER BY booking.status DESC, booking.id DESC
        LIMIT $9 + $10
    ) AS newest
)
SELECT outcome, listed.*
FROM asked
LEFT JOIN (
    SELECT shown.*
    FROM (SELECT id FROM found ORDER BY id DESC LIMIT $9 OFFSET $10) AS page
    JOIN booking ON booking.id = page.id
    CROSS JOIN LATERAL show_booking(booking) AS shown
) AS listed ON outcome = 'listed'
ORDER BY listed.id DESC
