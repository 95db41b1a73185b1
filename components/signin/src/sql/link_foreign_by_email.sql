-- $1 issuer, $2 subject, $3 e-mail
-- Only when both sides verified the mailbox: otherwise an account that registered the address first here would
-- take over the sign-in of its real owner. A disabled account is linked too, and stays disabled. Accounts of staff
-- and admins are not linked: another issuer does not get their rights by an address.
INSERT INTO foreign_identity (issuer, subject, account)
SELECT $1, $2, id FROM account
WHERE folded(email) = folded($3) AND email_verified_at IS NOT NULL
    AND NOT roles && ARRAY['admin', 'moderator', 'zone_admin', 'controller']
ON CONFLICT DO NOTHING
