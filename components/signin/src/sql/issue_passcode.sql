-- $1 session, $2 address, $3 request id, $4 code, $5 seconds
-- No row comes back when another account holds the same digits right now.
WITH issued AS MATERIALIZED (
    SELECT me.id, issue_passcode(me.id, $4, $5) AS valid_until FROM caller($1) AS me
)
SELECT millis(valid_until) AS valid_until, write_audit('passcode-issued', id, $1, $2, $3)
FROM issued WHERE valid_until IS NOT NULL
