-- $1 digest, $2 address, $3 request id
WITH used AS (
    DELETE FROM letter WHERE digest = $1 AND purpose = 'verify' AND expires_at > now()
    RETURNING account, email
)
UPDATE account SET email_verified_at = now()
FROM used WHERE account.id = used.account AND folded(account.email) = folded(used.email)
RETURNING account.id, write_audit('email-verified', account.id, NULL, $2, $3)
