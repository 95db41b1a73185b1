-- $1 user, $2 until when the digest was claimed, $3 the notices in it, $4 the letter, or null when there is no address for
-- it, $5 whether more notices wait
-- A host that comes too late sends nothing: another host has claimed the digest, or its person has chosen another time.
WITH claimed AS (
    UPDATE preference SET digest_due_at = CASE WHEN $5 THEN now() ELSE next_at(time_zone, digest_at, now()) END
    WHERE user_id = $1 AND millis(digest_due_at) = $2
    RETURNING user_id
), told AS (
    UPDATE inbox SET waits_for_digest = false
    FROM claimed
    WHERE inbox.user_id = claimed.user_id AND inbox.waits_for_digest
        AND inbox.id IN (SELECT jsonb_array_elements_text($3::jsonb)::bigint)
    RETURNING inbox.id
)
INSERT INTO events.outbox (kind, aggregate, payload)
SELECT 'deliver:email', 'digest:' || $1, $4::jsonb
WHERE $4::jsonb IS NOT NULL AND EXISTS (SELECT FROM told)
