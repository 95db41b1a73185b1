-- $1 e-mail, $2 digest, $3 secret, $4 seconds, $5 address, $6 request id
-- An unknown address gets no letter; the answer does not tell.
INSERT INTO letter (digest, account, purpose, email, expires_at)
SELECT $2, id, 'reset', email, now() + $4::bigint * interval '1 second'
FROM account
WHERE folded(email) = folded($1) AND disabled_at IS NULL AND erased_at IS NULL
RETURNING write_audit('reset-asked', account, NULL, $5, $6),
    send_notice(account, 'password-reset',
        jsonb_build_object('email', email, 'token', $3::text, 'minutes', $4 / 60))
