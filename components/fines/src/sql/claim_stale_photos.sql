-- $1 limit. Photos of anonymized cases, and uploads that were not completed within a day. A claimed photo comes again after
-- ten minutes: one that cannot be deleted blocks no other.
WITH dropped AS (
    SELECT id FROM photo
    WHERE dropped_at <= now()
    ORDER BY dropped_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
), given_up AS (
    SELECT id FROM photo
    WHERE sha256 IS NULL AND dropped_at IS NULL AND added_at < now() - interval '1 day'
    ORDER BY added_at
    LIMIT $1::bigint
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE photo SET dropped_at = now() + interval '10 minutes'
    WHERE id IN (SELECT id FROM dropped UNION ALL SELECT id FROM given_up)
    RETURNING photo
)
SELECT shown.*
FROM claimed
CROSS JOIN LATERAL show_photo(claimed.photo) AS shown
