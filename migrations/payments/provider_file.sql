-- Files of the provider, and their differences from the books.

-- Differences between a file and the books. For a payment that the file names, its lines in all files count. Refunds are
-- compared one way only, because the provider sends money back after it is booked here; refunds that it still has to send
-- have a list of their own. Money that came again is also compared the other way: the provider has decided that it stays.
-- Payments and their lines are looked up one by one: PostgreSQL would read all that there are.
CREATE OR REPLACE FUNCTION differences_of(of_file uuid)
RETURNS TABLE (kind text, payment text, checkout uuid, currency text, booked bigint, reported bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    -- While the file ran, or since the one before it ended.
    since timestamptz;
    until timestamptz;
BEGIN
    SELECT least(file.first_at, (
            SELECT max(before.last_at) FROM provider_file AS before WHERE before.last_at < file.last_at)), file.last_at
    INTO since, until
    FROM provider_file AS file WHERE file.id = of_file;
    RETURN QUERY
    WITH named AS (
        SELECT line.payment, min(line.currency) AS currency, count(DISTINCT line.currency) AS currencies,
            sum(line.amount) FILTER (WHERE line.kind = 'payment')::bigint AS paid,
            coalesce(sum(CASE line.kind WHEN 'return' THEN -line.amount ELSE line.amount END)
                FILTER (WHERE line.kind <> 'payment'), 0)::bigint AS gone,
            bool_or(line.kind = 'return') AS came_again
        FROM (SELECT DISTINCT own.payment FROM provider_line AS own WHERE own.file = of_file) AS one
        CROSS JOIN LATERAL (
            SELECT it.* FROM provider_line AS it
            WHERE it.payment = one.payment AND it.kind NOT IN ('payout', 'payout_return')
            OFFSET 0
        ) AS line
        GROUP BY line.payment
    ), compared AS (
        SELECT named.*, known.checkout, known.amount, known.currency AS known_currency,
            coalesce(known.verdict IN ('accepted', 'returning', 'returned'), false) AS is_booked,
            CASE known.verdict WHEN 'accepted' THEN known.refunded ELSE known.amount END AS known_gone
        FROM named
        LEFT JOIN LATERAL (SELECT it.* FROM psp_payment AS it WHERE it.id = named.payment OFFSET 0) AS known ON true
    )
    SELECT 'not_booked', it.payment, it.checkout, it.currency, 0::bigint, coalesce(it.paid, it.gone)
    FROM compared AS it WHERE NOT is_booked
    UNION ALL
    SELECT 'amount', it.payment, it.checkout, it.currency, it.amount, it.paid
    FROM compared AS it
    WHERE is_booked AND (it.paid <> it.amount OR it.currency <> it.known_currency OR it.currencies > 1)
    UNION ALL
    SELECT 'sent_back', it.payment, it.checkout, it.currency, it.known_gone, it.gone
    FROM compared AS it
    WHERE is_booked AND (it.gone > it.known_gone OR it.came_again AND it.gone < it.known_gone)
    UNION ALL
    -- Booked in that time, and in no file.
    SELECT 'not_reported', known.id, known.checkout, known.currency, known.amount, 0::bigint
    FROM transfer
    CROSS JOIN LATERAL (
        SELECT it.* FROM psp_payment AS it
        WHERE it.checkout = transfer.id AND it.verdict IN ('accepted', 'returning', 'returned')
            AND NOT EXISTS (
                SELECT FROM provider_line AS line WHERE line.payment = it.id AND line.kind = 'payment')
        OFFSET 0
    ) AS known
    WHERE transfer.created_at BETWEEN since AND until;
END $$;

-- Books an amount from one house account to another, in the other direction when it is below 0.
CREATE OR REPLACE FUNCTION book_reported(
    of_kind text, from_house text, to_house text, of_amount bigint, in_currency text, file_id uuid, named text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF of_amount > 0 THEN
        PERFORM book(gen_random_uuid(), of_kind, house_account(from_house, in_currency),
                     house_account(to_house, in_currency), of_amount, in_currency, file_id::text, named);
    ELSIF of_amount < 0 THEN
        PERFORM book_reported(of_kind, to_house, from_house, -of_amount, in_currency, file_id, named);
    END IF;
END $$;

-- The provider's fees in the lines of a file, by currency.
CREATE OR REPLACE FUNCTION fees_of_file(file_id uuid) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_object_agg(currency, kept), '{}')
    FROM (SELECT currency, sum(fee) AS kept FROM provider_line WHERE file = file_id GROUP BY currency) AS fees
$$;

-- Books the provider's fees and its payments to the bank, once for each line. Answers 'moved', 'replayed' or why not.
DROP FUNCTION IF EXISTS import_provider_file(uuid, text, uuid, int, jsonb);
CREATE OR REPLACE FUNCTION import_provider_file(
    file_id uuid, named text, by_admin uuid, was_skipped int, reported jsonb, other_kinds jsonb DEFAULT '{}'
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    earlier provider_file;
    in_currency text;
    kept bigint;
    paid_out bigint;
    new_lines int;
BEGIN
    PERFORM lock_name(file_id);
    SELECT * INTO earlier FROM provider_file WHERE id = file_id;
    IF earlier.id IS NOT NULL THEN
        RETURN CASE WHEN (earlier.name, earlier.imported_by) = (named, by_admin) THEN 'replayed' ELSE 'id_taken' END;
    END IF;
    INSERT INTO provider_file (id, name, lines, repeated, skipped, others, first_at, last_at, imported_by)
    SELECT file_id, named, 0, 0, was_skipped, other_kinds, min(moment(at)), max(moment(at)), by_admin
    FROM jsonb_to_recordset(reported) AS line (at bigint);
    -- A fixed order, so that two overlapping files cannot deadlock.
    INSERT INTO provider_line (file, payment, kind, amount, fee, currency, happened_at)
    SELECT file_id, payment, kind, amount, fee, currency, moment(at)
    FROM jsonb_to_recordset(reported) AS line (payment text, kind text, amount bigint, fee bigint, currency text, at bigint)
    ORDER BY payment, kind, at, amount
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS new_lines = ROW_COUNT;
    UPDATE provider_file
    SET lines = new_lines, repeated = jsonb_array_length(reported) - new_lines, fees = fees_of_file(file_id)
    WHERE id = file_id;
    FOR in_currency, kept, paid_out IN
        SELECT currency, sum(fee)::bigint,
            sum(CASE kind WHEN 'payout' THEN amount WHEN 'payout_return' THEN -amount ELSE 0 END)::bigint
        FROM provider_line WHERE file = file_id GROUP BY currency ORDER BY currency
    LOOP
        PERFORM book_reported('provider_fee', 'provider_fees', 'psp', kept, in_currency, file_id, named);
        PERFORM book_reported('payout', 'external', 'psp', paid_out, in_currency, file_id, named);
    END LOOP;
    RETURN 'moved';
END $$;

-- A file as statements read it, moments in milliseconds.
DROP FUNCTION IF EXISTS show_provider_file(uuid);
CREATE OR REPLACE FUNCTION show_provider_file(file_id uuid)
RETURNS TABLE (
    id uuid, name text, lines int, repeated int, skipped int, others jsonb, fees jsonb, first_at bigint, last_at bigint,
    imported_by uuid, imported_at bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.name, it.lines, it.repeated, it.skipped, it.others, coalesce(it.fees, fees_of_file(it.id)),
        millis(it.first_at), millis(it.last_at), it.imported_by, millis(it.imported_at)
    FROM provider_file AS it WHERE it.id = file_id
$$;

REVOKE ALL ON FUNCTION differences_of, fees_of_file, book_reported, import_provider_file, show_provider_file FROM PUBLIC;
GRANT EXECUTE ON FUNCTION differences_of, fees_of_file, import_provider_file, show_provider_file TO wharf_payments;
