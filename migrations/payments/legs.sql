-- Transfers of one account. Pages of it cost the same however long the history is, and wherever in it they are.

-- All transfers at that moment or later have a greater `seq`. Concurrent transfers may draw their `seq` in another order
-- than their times, so the bound is the `seq` of the last transfer a minute before.
CREATE OR REPLACE FUNCTION seq_before(at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT seq FROM transfer WHERE created_at < at - interval '1 minute' ORDER BY created_at DESC LIMIT 1
    ), 0);
END $$;

-- All transfers before that moment have a smaller `seq`.
CREATE OR REPLACE FUNCTION seq_after(at timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT seq FROM transfer WHERE created_at >= at + interval '1 minute' ORDER BY created_at LIMIT 1
    ), 9223372036854775807);
END $$;

-- The newest transfers of an account as its owner reads them, `at_most` of them: those before the `seq` of `below`, from
-- `from_ms` on and before `to_ms`. Moments are compared as clients see them: in milliseconds, rounded. The settings keep
-- the order of the indexes: by its statistics an account has few transfers, so that PostgreSQL would read and sort all.
CREATE OR REPLACE FUNCTION legs(
    of_account uuid, at_most bigint, below bigint DEFAULT NULL, from_ms bigint DEFAULT NULL, to_ms bigint DEFAULT NULL
) RETURNS TABLE (
    seq bigint, id uuid, kind text, currency text, reference text, description text, change bigint, balance bigint,
    other uuid, created_at timestamptz
)
LANGUAGE plpgsql STABLE ROWS 50
SET enable_sort = off
SET enable_bitmapscan = off
SET enable_seqscan = off
AS $$
DECLARE
    lowest bigint := CASE WHEN from_ms IS NULL THEN 0 ELSE seq_before(moment(from_ms)) END;
    highest bigint := least(below, CASE WHEN to_ms IS NOT NULL THEN seq_after(moment(to_ms)) END, 9223372036854775807);
BEGIN
    RETURN QUERY
    SELECT * FROM (
        (
            SELECT it.seq, it.id, it.kind, it.currency, it.reference, it.description, -it.amount AS change,
                it.debit_balance AS balance, it.credit AS other, it.created_at
            FROM transfer AS it
            WHERE debit = of_account AND it.seq > lowest AND it.seq < highest
                AND (from_ms IS NULL OR millis(it.created_at) >= from_ms)
                AND (to_ms IS NULL OR millis(it.created_at) < to_ms)
            ORDER BY it.seq DESC LIMIT at_most
        )
        UNION ALL
        (
            SELECT it.seq, it.id, it.kind, it.currency, it.reference, it.description, it.amount, it.credit_balance,
                it.debit, it.created_at
            FROM transfer AS it
            WHERE credit = of_account AND it.seq > lowest AND it.seq < highest
                AND (from_ms IS NULL OR millis(it.created_at) >= from_ms)
                AND (to_ms IS NULL OR millis(it.created_at) < to_ms)
            ORDER BY it.seq DESC LIMIT at_most
        )
    ) AS sides
    ORDER BY sides.seq DESC
    LIMIT at_most;
END $$;

REVOKE ALL ON FUNCTION seq_before, seq_after, legs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seq_before, seq_after, legs TO wharf_payments;
