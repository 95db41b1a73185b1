-- $1 session, $2 kind, $3 seconds, $4 refresh token, $5 address, $6 agent, $7 request id, $8 its proofs,
-- $9 when they were given, $10 network or none, $11 account, $12 seal
-- The lock orders this statement and a statement that renews the seal and ends sessions: either the other statement sees
-- this session, or this one finds the new seal and opens none.
INSERT INTO session (id, account, seal, kind, address, agent, expires_at, refresh, amr, authenticated_at)
SELECT $1, id, seal, $2, $5, $6, now() + $3::bigint * interval '1 second', $4, $8, moment($9)
FROM account WHERE id = $11 AND seal = $12 AND disabled_at IS NULL
FOR SHARE
RETURNING id, write_audit('signed-in', account, id, $5, $7), remember_network(account, $10, $5)
