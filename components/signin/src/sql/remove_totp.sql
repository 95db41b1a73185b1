-- $1 session, $2 address, $3 request id, $4 enrolment
UPDATE account SET totp = NULL
FROM caller($1) AS me WHERE account.id = me.id AND account.totp = $4
RETURNING account.id, write_audit('second-factor-removed', account.id, $1, $2, $3),
    send_security_notice(account.id, 'own-factor-removed', $2)
