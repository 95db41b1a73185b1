-- $1 session, $2 the enrolment, $3 address, $4 request id
WITH changed AS (
    UPDATE account SET backup_batch = account.backup_batch + 1, backup_used = 0
    FROM caller($1) AS me WHERE account.id = me.id AND account.totp = $2
    RETURNING account.id, account.backup_batch
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'backup-codes-renewed', id, $1, $3, $4 FROM changed
)
SELECT backup_batch FROM changed
