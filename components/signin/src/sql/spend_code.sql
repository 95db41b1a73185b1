-- $1 account, $2 seal, $3 time step of the code or none, $4 bit of the backup code or 0, $5 batch of backup codes
UPDATE account SET totp_step = coalesce($3, totp_step), backup_used = backup_used | $4
WHERE id = $1 AND seal = $2 AND ($3::bigint IS NULL OR totp_step < $3) AND backup_used & $4 = 0
    AND backup_batch = $5
