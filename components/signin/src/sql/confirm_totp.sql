-- $1 session, $2 address, $3 request id, $4 enrolment, $5 time step of the code
WITH proven AS (
    UPDATE session SET amr = ARRAY(
        SELECT DISTINCT proof FROM unnest(session.amr || ARRAY['otp', 'mfa']) AS proof ORDER BY proof)
    FROM caller($1) AS me WHERE session.id = $1 AND me.totp_offered = $4 AND me.totp IS NULL
)
UPDATE account SET totp = $4, totp_offered = NULL, totp_step = $5, backup_batch = 0, backup_used = 0
FROM caller($1) AS me
WHERE account.id = me.id AND account.totp IS NULL AND account.totp_offered = $4
RETURNING account.id, write_audit('second-factor-added', account.id, $1, $2, $3),
    send_security_notice(account.id, 'second-factor-added', $2)
