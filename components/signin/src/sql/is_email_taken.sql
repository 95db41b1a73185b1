-- $1 e-mail, $2 the account that asks
SELECT EXISTS (SELECT FROM account WHERE folded(email) = folded($1) AND id <> $2)
