-- $1 session, $2 the enrolment, $3 time step of the code, $4 address, $5 request id
WITH changed AS (
    UPDATE account SET totp = $2, totp_offered = NULL, totp_step = $3, backup_batch = 0, backup_used = 0
    FROM caller($1) AS me
    WHERE account.id = me.id AND account.totp IS NULL AND account.totp_offered = $2
    RETURNING account.id
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'second-factor-added', id, $1, $4, $5 FROM changed
)
SELECT id FROM changed
