-- $1 digest, $2 address, $3 request id
WITH used AS (
    DELETE FROM letter WHERE digest = $1 AND purpose = 'verify' AND expires_at > now()
    RETURNING account, email
), changed AS (
    UPDATE account SET email_verified_at = now()
    FROM used WHERE account.id = used.account AND folded(account.email) = folded(used.email)
    RETURNING account.id
), audited AS (
    INSERT INTO audit (what, account, address, request_id) SELECT 'email-verified', id, $2, $3 FROM changed
)
SELECT id FROM changed
