-- $1 limit
-- A claimed digest is due again after a minute, in case this host is killed before it sends it.
UPDATE preference SET digest_due_at = date_trunc('milliseconds', now()) + interval '1 minute'
WHERE user_id IN (
    SELECT user_id FROM preference WHERE digest_due_at <= now()
    ORDER BY digest_due_at LIMIT $1
    FOR UPDATE SKIP LOCKED
)
RETURNING user_id, language, email AS wants_email, millis(digest_due_at) AS claimed_until
