-- $1 digest, $2 password hash, $3 address, $4 request id
-- The letter also proves that the mailbox is the account's. Earlier letters are void. When it is the first proof, a
-- stranger may have registered the address and set up ways into the account: the second factor, the Telegram id, known
-- networks and identities at other issuers are removed.
WITH used AS (
    DELETE FROM letter WHERE digest = $1 AND purpose = 'reset' AND expires_at > now()
    RETURNING account, email
), changed AS (
    UPDATE account SET password = $2, seal = gen_random_uuid(),
        email_verified_at = coalesce(account.email_verified_at, now()),
        email_wanted = NULL, totp_offered = NULL,
        totp = CASE WHEN account.email_verified_at IS NULL THEN NULL ELSE account.totp END,
        telegram_id = CASE WHEN account.email_verified_at IS NULL THEN NULL ELSE account.telegram_id END
    FROM account AS before JOIN used ON before.id = used.account
    WHERE account.id = before.id AND folded(account.email) = folded(used.email) AND account.disabled_at IS NULL
    RETURNING account.id, before.email_verified_at IS NULL AS is_first_proof,
        write_audit('password-reset', account.id, NULL, $3, $4),
        send_security_notice(account.id, 'password-changed', $3)
), networks AS (
    DELETE FROM known_network USING changed WHERE is_first_proof AND known_network.account = changed.id
), identities AS (
    DELETE FROM foreign_identity USING changed WHERE is_first_proof AND foreign_identity.account = changed.id
), void AS (
    DELETE FROM letter USING used WHERE letter.account = used.account AND digest <> $1
)
SELECT end_sessions(id, NULL, 'password-reset') AS ended FROM changed
