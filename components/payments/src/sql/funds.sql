-- $1 owner, $2 currency
-- An account that was never used has nothing. A hold that has ended counts as over before a sweep deletes it. A user who
-- owes in another currency can spend nothing until that is settled.
SELECT
    coalesce(sum(account.balance), 0)::bigint AS balance,
    coalesce(CASE
        WHEN EXISTS (
            SELECT FROM receivable WHERE owner = $1 AND currency <> $2 AND settled + written_off < amount
        ) THEN sum(account.balance)
        ELSE sum((SELECT sum(amount) FROM hold WHERE hold.account = account.id AND until > now()))
    END, 0)::bigint AS held,
    coalesce((
        SELECT sum(amount - settled - written_off) FROM receivable
        WHERE owner = $1 AND currency = $2 AND settled + written_off < amount
    ), 0)::bigint AS owed
FROM account
WHERE kind = 'main' AND owner = $1 AND currency = $2
