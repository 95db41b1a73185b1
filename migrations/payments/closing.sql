-- Closes days, so that proving the books costs what happened since and not all that ever happened.

-- Both sides of the transfers from a moment on. The setting keeps the index: PostgreSQL takes any moment for an early one.
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

-- The payments that were made or refunded from a moment on.
CREATE OR REPLACE FUNCTION payments_since(at timestamptz) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE ROWS 10000 SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT DISTINCT CASE it.kind WHEN 'payment' THEN it.id ELSE it.refund_of END
    FROM transfer AS it WHERE created_at >= at AND it.kind IN ('payment', 'refund');
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
    SELECT count(*) INTO added FROM transfer WHERE created_at >= since AND created_at < ends;
    INSERT INTO closing (until, transfers) VALUES (ends, added);
    RETURN true;
END $$;

-- How many accounts were closed at another balance than all their transfers before make: 0 in sound books. It reads every
-- transfer, so an operator asks it and no request.
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
        WHERE sums.balance IS DISTINCT FROM closed_balance.balance);
END $$;

REVOKE ALL ON FUNCTION legs_since, closed_until, payments_since, close_next, count_drifted_closings FROM PUBLIC;
GRANT EXECUTE ON FUNCTION legs_since, closed_until, payments_since, close_next, count_drifted_closings TO wharf_payments;
