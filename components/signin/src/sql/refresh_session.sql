-- $1 session, $2 address, $3 request id, $4 refresh token, $5 the next one, $6 grace in seconds, $7 network
SELECT outcome, person.*, token, seconds_left, amr, millis(authenticated_at) AS authenticated_at
FROM refresh_session($1, $4, $5, $6, $2, $3, $7), person(of_account)
