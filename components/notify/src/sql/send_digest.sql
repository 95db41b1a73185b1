-- $1 user, $2 the notices in it, $3 the letter, or null when there is no address for it, $4 whether more notices wait
WITH told AS (
    UPDATE inbox SET waits_for_digest = false
    WHERE user_id = $1 AND waits_for_digest AND id IN (SELECT jsonb_array_elements_text($2::jsonb)::bigint)
    RETURNING id
), sent AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'deliver:email', 'digest:' || $1, $3::jsonb
    WHERE $3::jsonb IS NOT NULL AND EXISTS (SELECT FROM told)
)
UPDATE preference SET digest_due_at = CASE WHEN $4 THEN now() ELSE next_at(time_zone, digest_at, now()) END
WHERE user_id = $1
