-- $1 session, $2 kind, $3 seconds, $4 refresh token (none), $5 address, $6 agent, $7 request id, $8 its proofs,
-- $9 when they were given, $10 network or none, $11 issuer, $12 account, $13 seal, $14 roles held there,
-- $15 every role that the issuer decides
SELECT person.*, ended
FROM open_foreign_session($1, $2, $3, $5, $6, $7, $8, moment($9), $10, $11, $12, $13, $14, $15), person(opened)
WHERE $4::uuid IS NULL
