-- $1 session, $2 address, $3 request id, $4 digest, $5 secret, $6 seconds
-- To the wanted address if there is one, otherwise to one that is not proven yet.
INSERT INTO letter (digest, account, purpose, email, expires_at)
SELECT $4, me.id, 'verify', coalesce(me.email_wanted, me.email), now() + $6::bigint * interval '1 second'
FROM caller($1) AS me
WHERE me.email_wanted IS NOT NULL OR (me.email IS NOT NULL AND me.email_verified_at IS NULL)
RETURNING account, write_audit('verification-asked', account, $1, $2, $3),
    send_notice(account, 'verify-email',
        jsonb_build_object('email', email, 'token', $5::text, 'minutes', $6 / 60))
