-- $1 digest, $2 address, $3 request id
-- An address that was wanted takes the place of the former one, whose owner gets a notice.
WITH used AS (
    DELETE FROM letter WHERE digest = $1 AND purpose = 'verify' AND expires_at > now()
    RETURNING account, email
), before AS (
    SELECT account.id, account.email, used.email AS proven, folded(account.email) = folded(used.email) AS is_same
    FROM used JOIN account ON account.id = used.account
    WHERE account.disabled_at IS NULL
        AND (folded(account.email) = folded(used.email) OR folded(account.email_wanted) = folded(used.email))
), changed AS (
    UPDATE account SET
        email_verified_at = now(),
        email = CASE WHEN is_same THEN account.email ELSE proven END,
        -- A login that is the e-mail follows the e-mail.
        login = CASE
            WHEN NOT is_same AND folded(account.login) = folded(account.email) THEN proven ELSE account.login
        END,
        email_wanted = CASE WHEN is_same THEN account.email_wanted END
    FROM before WHERE account.id = before.id
    RETURNING account.id, account.email, before.email AS former, is_same,
        write_audit(CASE WHEN is_same THEN 'email-verified' ELSE 'email-changed' END, account.id, NULL, $2, $3)
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'user:updated', 'user:' || id, jsonb_build_object('id', id, 'email', email)
    FROM changed WHERE NOT is_same
)
SELECT id, CASE WHEN NOT is_same THEN
    send_notice(id, 'email-changed', jsonb_build_object('email', former, 'address', $2::text)) END
FROM changed
