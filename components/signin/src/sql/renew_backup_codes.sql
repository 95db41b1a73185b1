-- $1 session, $2 address, $3 request id, $4 enrolment
UPDATE account SET backup_batch = account.backup_batch + 1, backup_used = 0
FROM caller($1) AS me WHERE account.id = me.id AND account.totp = $4
RETURNING account.backup_batch, write_audit('backup-codes-renewed', account.id, $1, $2, $3),
    send_security_notice(account.id, 'backup-codes-renewed', $2)
