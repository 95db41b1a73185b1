-- Per currency the sum over all accounts is 0: the stored balances of users and the sums of the transfers of house
-- accounts. Stored balances and holds are compared with the transfers and holds that they stand for.
WITH leg AS (
    SELECT credit AS account, amount FROM transfer
    UNION ALL
    SELECT debit, -amount FROM transfer
), moved AS (
    SELECT account, sum(amount)::bigint AS balance FROM leg GROUP BY account
), held AS (
    SELECT account, sum(amount)::bigint AS amount FROM hold GROUP BY account
)
SELECT
    account.currency,
    coalesce(sum(account.balance), 0)::bigint AS users,
    coalesce(sum(moved.balance) FILTER (WHERE account.kind = 'house'), 0)::bigint AS house,
    coalesce(
        jsonb_object_agg(account.name, coalesce(moved.balance, 0)) FILTER (WHERE account.kind = 'house'), '{}'
    ) AS house_accounts,
    coalesce(sum(coalesce(account.balance, moved.balance)), 0)::bigint AS difference,
    count(*) FILTER (WHERE account.balance <> coalesce(moved.balance, 0)) AS drifted_balances,
    count(*) FILTER (WHERE account.held <> coalesce(held.amount, 0)) AS drifted_holds
FROM account
LEFT JOIN moved ON moved.account = account.id
LEFT JOIN held ON held.account = account.id
GROUP BY account.currency
ORDER BY account.currency
