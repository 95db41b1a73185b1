-- $1 owner, $2 currency
-- An account that was never used has nothing. A hold that is over counts as over, swept or not.
SELECT
    coalesce(sum(account.balance), 0)::bigint AS balance,
    coalesce(sum((
        SELECT sum(amount) FROM hold WHERE hold.account = account.id AND until > now()
    )), 0)::bigint AS held
FROM account
WHERE kind = 'main' AND owner = $1 AND currency = $2
