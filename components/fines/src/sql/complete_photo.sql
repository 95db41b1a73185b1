-- $1 photo, $2 caller, $3 digest
WITH completed AS (
    UPDATE photo SET sha256 = $3, upload = NULL WHERE id = $1 AND sha256 IS NULL AND dropped_at IS NULL
    RETURNING fine_id, size
)
SELECT note_event(fine_id, $2, 'photo', jsonb_build_object('id', $1::uuid, 'sha256', $3::text, 'bytes', size))
FROM completed
