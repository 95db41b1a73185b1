-- $1 code, $2 address, $3 request id
SELECT * FROM redeem_passcode($1, $2, $3)
