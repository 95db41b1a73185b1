-- $1 account if there is one, $2 why, $3 address, $4 request id
-- The name that was tried is not kept: people type passwords there.
INSERT INTO audit (what, account, detail, address, request_id) VALUES ('refused', $1, $2, $3, $4)
