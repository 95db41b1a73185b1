-- $1 account if there is one, $2 reason, $3 address, $4 request id
-- The name that was tried is not kept: people type passwords there.
SELECT write_audit('refused', $1, NULL, $3, $4, NULL, $2)
