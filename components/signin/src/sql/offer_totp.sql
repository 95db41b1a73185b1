-- $1 session, $2 the enrolment
UPDATE account SET totp_offered = $2
FROM caller($1) AS me WHERE account.id = me.id AND account.totp IS NULL
