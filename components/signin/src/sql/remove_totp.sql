-- $1 session, $2 the enrolment, $3 address, $4 request id
WITH changed AS (
    UPDATE account SET totp = NULL
    FROM caller($1) AS me WHERE account.id = me.id AND account.totp = $2
    RETURNING account.id
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id)
    SELECT 'second-factor-removed', id, $1, $3, $4 FROM changed
)
SELECT id FROM changed
