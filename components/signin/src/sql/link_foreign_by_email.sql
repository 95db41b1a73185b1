-- $1 issuer, $2 subject, $3 e-mail
-- Only where both sides have seen the mailbox: otherwise whoever registered the address first here
-- would be handed the other's sign-in. Whoever is disabled is known too, and stays out.
INSERT INTO foreign_identity (issuer, subject, account)
SELECT $1, $2, id FROM account
WHERE folded(email) = folded($3) AND email_verified_at IS NOT NULL
ON CONFLICT DO NOTHING
