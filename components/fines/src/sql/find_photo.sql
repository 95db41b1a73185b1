-- $1 fine, $2 photo, $3 caller
SELECT shown.*
FROM photo
CROSS JOIN LATERAL show_photo(photo) AS shown
WHERE photo.id = $2 AND photo.fine_id = $1 AND author = $3 AND dropped_at IS NULL
