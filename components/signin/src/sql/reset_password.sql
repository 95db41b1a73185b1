-- $1 digest, $2 password hash, $3 address, $4 request id
-- Whoever read the letter owns the mailbox too. Every letter of before is void.
WITH used AS (
    DELETE FROM letter WHERE digest = $1 AND purpose = 'reset' AND expires_at > now()
    RETURNING account, email
), changed AS (
    UPDATE account SET password = $2, seal = gen_random_uuid(),
        email_verified_at = coalesce(account.email_verified_at, now())
    FROM used
    WHERE account.id = used.account AND folded(account.email) = folded(used.email) AND account.disabled_at IS NULL
    RETURNING account.id
), void AS (
    DELETE FROM letter USING used WHERE letter.account = used.account AND letter.purpose = 'reset' AND digest <> $1
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'user:' || id, jsonb_build_object(
        'user_id', id, 'template', 'password-changed', 'params', jsonb_build_object('address', $3::text))
    FROM changed
), audited AS (
    INSERT INTO audit (what, account, address, request_id) SELECT 'password-reset', id, $3, $4 FROM changed
)
SELECT end_sessions(id, NULL, 'password-reset') AS ended FROM changed
