-- $1 issuer, $2 subject, $3 account
INSERT INTO foreign_identity (issuer, subject, account) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
