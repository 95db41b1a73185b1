-- Per currency the sum over all accounts is 0: the stored balances of users and the sums of the transfers of house
-- accounts. Stored balances and holds are compared with the transfers and holds that they stand for, and fees with the
-- payments that were not refunded. Closed days count as they were closed.
WITH leg AS (
    SELECT account, balance AS amount FROM closed_balance
    UNION ALL
    SELECT account, amount FROM legs_since(closed_until())
), moved AS (
    SELECT account, sum(amount)::bigint AS balance FROM leg GROUP BY account
), held AS (
    SELECT account, sum(amount)::bigint AS amount FROM hold GROUP BY account
), drifted_fee AS (
    SELECT it.currency FROM fees_since(closed_until()) AS it WHERE it.kept <> kept_before(it, 'infinity')
), fees AS (
    SELECT currency, kept FROM fees_kept()
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
    count(*) FILTER (WHERE account.held <> coalesce(held.amount, 0)) AS drifted_holds,
    (SELECT count(*) FROM drifted_fee WHERE drifted_fee.currency = account.currency)
        + count(*) FILTER (
            WHERE account.kind = 'house' AND account.name = 'fees' AND coalesce(moved.balance, 0)
                <> coalesce((SELECT kept FROM fees WHERE fees.currency = account.currency), 0)
        ) AS drifted_fees
FROM account
LEFT JOIN moved ON moved.account = account.id
LEFT JOIN held ON held.account = account.id
GROUP BY account.currency
ORDER BY account.currency
