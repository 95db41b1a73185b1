-- $1 code, $2 address, $3 request id
SELECT * FROM find_passcode_owner($1, $2, $3)
