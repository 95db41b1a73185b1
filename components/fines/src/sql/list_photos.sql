-- $1 fine, $2 caller, $3 caller is admin
WITH asked AS (
    SELECT CASE
        WHEN fine.id IS NULL THEN 'unknown_fine'
        WHEN $3::boolean OR sees_fine(fine, $2) THEN 'listed'
        ELSE 'forbidden'
    END AS outcome
    FROM (VALUES (1)) AS once
    LEFT JOIN fine ON fine.id = $1 AND hidden_at IS NULL
)
SELECT outcome, listed.*
FROM asked
LEFT JOIN (
    SELECT shown.*
    FROM photo
    CROSS JOIN LATERAL show_photo(photo) AS shown
    WHERE photo.fine_id = $1 AND photo.sha256 IS NOT NULL
) AS listed ON outcome = 'listed'
ORDER BY listed.added_at, listed.id
