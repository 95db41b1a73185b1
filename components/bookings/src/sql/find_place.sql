-- $1 id
SELECT shown.*
FROM place
CROSS JOIN LATERAL show_place(place) AS shown
WHERE place.id = $1 AND deleted_at IS NULL
