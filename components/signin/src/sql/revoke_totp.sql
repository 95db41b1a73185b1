-- $1 session, $2 id of whom, $3 address, $4 request id
-- For who lost it, by an admin. Its person is told: it may not be themselves who asked for it.
WITH changed AS (
    UPDATE account SET totp = NULL, totp_offered = NULL
    FROM caller($1) AS me
    WHERE account.id = $2 AND account.erased_at IS NULL AND 'admin' = ANY (me.roles) AND account.id <> me.id
        AND account.totp IS NOT NULL
    RETURNING account.id, me.id AS actor
), told AS (
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'user:' || id, jsonb_build_object(
        'user_id', id, 'template', 'second-factor-removed', 'params', jsonb_build_object('address', $3::text))
    FROM changed
), audited AS (
    INSERT INTO audit (what, account, session, actor, address, request_id)
    SELECT 'second-factor-removed', id, $1, actor, $3, $4 FROM changed
)
SELECT id FROM changed
