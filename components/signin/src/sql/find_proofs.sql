-- $1 session
SELECT person.*, me.password, me.seal, me.totp, me.totp_offered, me.backup_batch
FROM caller($1) AS me, person(me)
