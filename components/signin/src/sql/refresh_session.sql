-- $1 session, $2 refresh token, $3 the next one, $4 grace in seconds, $5 address, $6 request id
SELECT outcome, person.*, token, seconds_left
FROM refresh_session($1, $2, $3, $4, $5, $6), person(of_account)
