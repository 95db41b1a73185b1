-- $1 plate, $2 status, $3 only those with an open appeal, $4 limit, $5 offset
SELECT shown.*
FROM find_fines(NULL, $1, $2, $3, $4::bigint, $5::bigint) AS found (id)
JOIN fine ON fine.id = found.id
CROSS JOIN LATERAL show_fine(fine) AS shown
ORDER BY fine.id DESC
