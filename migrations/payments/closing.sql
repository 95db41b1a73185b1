-- Closes days, so that a proof of the books reads only the transfers since the last closed day.

-- Both sides of the transfers from a moment on. The setting keeps the index, because PostgreSQL plans as if the moment were
-- an early one.
CREATE OR REPLACE FUNCTION legs_since(at timestamptz) RETURNS TABLE (account uuid, amount bigint)
LANGUAGE plpgsql STABLE ROWS 10000 SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT side.account, side.amount FROM transfer AS it
    CROSS JOIN LATERAL (VALUES (it.credit, it.amount), (it.debit, -it.amount)) AS side (account, amount)
    WHERE created_at >= at;
END $$;

-- Until when the books are closed.
CREATE OR REPLACE FUNCTION closed_until() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(until), '-infinity') FROM closing
$$;

-- The payments that were made or refunded from a moment on, and before another.
DROP FUNCTION IF EXISTS payments_since(timestamptz);
CREATE OR REPLACE FUNCTION payments_since(at timestamptz, until timestamptz DEFAULT 'infinity') RETURNS SETOF uuid
LANGUAGE plpgsql STABLE ROWS 10000 SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT CASE it.kind WHEN 'payment' THEN it.id ELSE it.refund_of END
    FROM transfer AS it WHERE created_at >= at AND created_at < until AND it.kind IN ('payment', 'refund');
END $$;

-- The fees of payments that were made or refunded from a moment on, and before another: looked up one by one, because
-- PostgreSQL would read all that there are.
CREATE OR REPLACE FUNCTION fees_since(at timestamptz, until timestamptz DEFAULT 'infinity') RETURNS SETOF fee
LANGUAGE plpgsql STABLE ROWS 10000 AS $$
BEGIN
    RETURN QUERY
    SELECT it.* FROM payments_since(at, until) AS recent (id)
    CROSS JOIN LATERAL (SELECT * FROM fee WHERE payment = recent.id OFFSET 0) AS it;
END $$;

-- The fee of a payment just before a moment; 0 before the payment was made.
CREATE OR REPLACE FUNCTION kept_before(it fee, at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT fee_of(amount - (
            SELECT coalesce(sum(refund.amount), 0)::bigint FROM transfer AS refund
            WHERE refund_of = it.payment AND refund.created_at < at), it.basis_points)
        FROM transfer WHERE id = it.payment AND created_at < at), 0);
END $$;

-- The fees that follow from the payments: the closed ones, and the changes since.
CREATE OR REPLACE FUNCTION fees_kept() RETURNS TABLE (currency text, kept bigint) LANGUAGE plpgsql STABLE AS $$
DECLARE
    since timestamptz := closed_until();
BEGIN
    RETURN QUERY
    SELECT part.currency, sum(part.kept)::bigint
    FROM (
        SELECT closed_fee.currency, closed_fee.kept FROM closed_fee
        UNION ALL
        SELECT it.currency, it.kept - kept_before(it, since) FROM fees_since(since) AS it
    ) AS part
    GROUP BY part.currency;
END $$;

-- Closes the next day (UTC) with transfers, if it ended an hour ago: no transaction takes so long, so none of its transfers
-- is still to come. Answers whether there was one.
CREATE OR REPLACE FUNCTION close_next()
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp SET enable_seqscan = off AS $$
DECLARE
    since timestamptz;
    ends timestamptz;
    added bigint;
BEGIN
    -- One at a time, in all copies.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('payments:closing', 0)) THEN
        RETURN false;
    END IF;
    since := closed_until();
    SELECT (date_trunc('day', created_at AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC' INTO ends
    FROM transfer WHERE created_at >= since ORDER BY created_at LIMIT 1;
    IF ends IS NULL OR ends > now() - interval '1 hour' THEN
        RETURN false;
    END IF;
    WITH closed AS (
        SELECT debit, credit, amount FROM transfer WHERE created_at >= since AND created_at < ends
    ), leg AS (
        SELECT credit AS account, amount FROM closed
        UNION ALL
        SELECT debit, -amount FROM closed
    )
    INSERT INTO closed_balance AS it (account, balance)
    SELECT leg.account, sum(leg.amount)::bigint FROM leg GROUP BY leg.account ORDER BY leg.account
    ON CONFLICT (account) DO UPDATE SET balance = it.balance + excluded.balance;
    INSERT INTO closed_fee AS it (currency, kept)
    SELECT changed.currency, sum(kept_before(changed, ends) - kept_before(changed, since))::bigint
    FROM fees_since(since, ends) AS changed GROUP BY changed.currency
    ON CONFLICT (currency) DO UPDATE SET kept = it.kept + excluded.kept;
    SELECT count(*) INTO added FROM transfer WHERE created_at >= since AND created_at < ends;
    INSERT INTO closing (until, transfers) VALUES (ends, added);
    RETURN true;
END $$;

-- Counts the accounts, and the currencies of fees, whose closed balance is not the sum of all earlier transfers: 0 in sound
-- books. It reads every transfer, so it is for operators and no request calls it.
CREATE OR REPLACE FUNCTION count_drifted_closings() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH closed AS (
            SELECT debit, credit, amount FROM transfer WHERE created_at < closed_until()
        ), leg AS (
            SELECT credit AS account, amount FROM closed
            UNION ALL
            SELECT debit, -amount FROM closed
        ), sums AS (
            SELECT account, sum(amount)::bigint AS balance FROM leg GROUP BY account
        )
        SELECT count(*) FROM sums FULL JOIN closed_balance USING (account)
        WHERE sums.balance IS DISTINCT FROM closed_balance.balance
    ) + (
        SELECT count(*) FROM (
            SELECT currency, sum(kept_before(fee, closed_until()))::bigint AS kept FROM fee GROUP BY currency
        ) AS fees FULL JOIN closed_fee USING (currency)
        WHERE coalesce(fees.kept, 0) <> coalesce(closed_fee.kept, 0));
END $$;

-- Days that an earlier release has closed. No day is closed meanwhile.
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('payments:closing', 0));
    IF NOT EXISTS (SELECT FROM closed_fee) AND EXISTS (SELECT FROM closing) AND EXISTS (SELECT FROM fee) THEN
        INSERT INTO closed_fee (currency, kept)
        SELECT currency, sum(kept_before(fee, closed_until()))::bigint FROM fee GROUP BY currency;
    END IF;
END $$;

REVOKE ALL ON FUNCTION legs_since, closed_until, payments_since, fees_since, kept_before, fees_kept, close_next,
    count_drifted_closings FROM PUBLIC;
GRANT EXECUTE ON FUNCTION legs_since, closed_until, payments_since, fees_since, kept_before, fees_kept, close_next,
    count_drifted_closings TO wharf_payments;
