-- $1 session, $2 address, $3 request id, $4 account
-- For a person who lost it, by an admin. The person gets a notice: the request may not be theirs.
UPDATE account SET totp = NULL, totp_offered = NULL
FROM caller($1) AS me
WHERE account.id = $4 AND account.erased_at IS NULL AND 'admin' = ANY (me.roles) AND account.id <> me.id
    AND account.totp IS NOT NULL
RETURNING account.id, write_audit('second-factor-removed', account.id, $1, $2, $3, me.id),
    send_security_notice(account.id, 'second-factor-removed', $2)
