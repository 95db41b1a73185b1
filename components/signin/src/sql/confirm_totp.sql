-- $1 session, $2 address, $3 request id, $4 enrolment, $5 time step of the code
UPDATE account SET totp = $4, totp_offered = NULL, totp_step = $5, backup_batch = 0, backup_used = 0
FROM caller($1) AS me
WHERE account.id = me.id AND account.totp IS NULL AND account.totp_offered = $4
RETURNING account.id, write_audit('second-factor-added', account.id, $1, $2, $3)
