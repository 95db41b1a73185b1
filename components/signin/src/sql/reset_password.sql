-- $1 digest, $2 password hash, $3 address, $4 request id
-- The letter also proves that the mailbox is the account's. Earlier letters are void.
WITH used AS (
    DELETE FROM letter WHERE digest = $1 AND purpose = 'reset' AND expires_at > now()
    RETURNING account, email
), changed AS (
    UPDATE account SET password = $2, seal = gen_random_uuid(),
        email_verified_at = coalesce(account.email_verified_at, now())
    FROM used
    WHERE account.id = used.account AND folded(account.email) = folded(used.email) AND account.disabled_at IS NULL
    RETURNING account.id, write_audit('password-reset', account.id, NULL, $3, $4),
        send_security_notice(account.id, 'password-changed', $3)
), void AS (
    DELETE FROM letter USING used WHERE letter.account = used.account AND letter.purpose = 'reset' AND digest <> $1
)
SELECT end_sessions(id, NULL, 'password-reset') AS ended FROM changed
