-- Moves money; every movement ends here. With `fee_points`, hundredths of a percent, a second transfer takes the house's
-- part of the money that comes to a user, and a hold keeps the rest.
DROP FUNCTION IF EXISTS book(uuid, text, uuid, uuid, bigint, text, text, text, uuid, timestamptz);
CREATE OR REPLACE FUNCTION book(
    transfer_id uuid,
    of_kind text,
    from_account uuid,
    to_account uuid,
    of_amount bigint,
    in_currency text,
    for_reference text DEFAULT NULL,
    described text DEFAULT NULL,
    refunding uuid DEFAULT NULL,
    held_until timestamptz DEFAULT NULL,
    fee_points int DEFAULT 0
) RETURNS movement LANGUAGE plpgsql AS $$
DECLARE
    locked account;
    payer account;
    payee account;
    earlier transfer;
    written transfer;
    from_hold bigint := 0;
    fee_part bigint := fee_of(of_amount, fee_points);
BEGIN
    IF from_account = to_account THEN
        RETURN refused('same_account');
    END IF;
    FOR locked IN
        SELECT * FROM account WHERE id IN (from_account, to_account) AND kind <> 'house'
        ORDER BY id FOR NO KEY UPDATE
    LOOP
        IF locked.id = from_account THEN payer := locked; ELSE payee := locked; END IF;
    END LOOP;
    -- Sides that were not locked are house accounts: a trigger of `transfer` looks at those.
    IF payer.currency <> in_currency OR payee.currency <> in_currency THEN
        RAISE EXCEPTION 'transfer % is in another currency than its accounts', transfer_id;
    END IF;

    SELECT * INTO earlier FROM transfer WHERE id = transfer_id;
    IF earlier.id IS NULL THEN
        IF refunding IS NOT NULL THEN
            SELECT least(amount, of_amount) INTO from_hold FROM hold WHERE payment = refunding;
            from_hold := coalesce(from_hold, 0);
        END IF;
        -- A hold that is over does not count, even when no sweep has deleted it.
        IF payer.balance - payer.held < of_amount - from_hold THEN
            payer.held := payer.held - free_due_holds(from_account);
            -- The refunded payment's own hold may just have become free money.
            PERFORM FROM hold WHERE payment = refunding;
            IF NOT FOUND THEN
                from_hold := 0;
            END IF;
        END IF;
        IF payer.balance - payer.held < of_amount - from_hold THEN
            RETURN refused('insufficient_funds');
        END IF;
        IF payee.balance + of_amount > 1000000000000 THEN
            RETURN refused('limit_reached');
        END IF;

        INSERT INTO transfer (id, kind, debit, credit, amount, currency, refund_of, reference, description,
                              debit_balance, credit_balance, created_at)
        VALUES (transfer_id, of_kind, from_account, to_account, of_amount, in_currency, refunding, for_reference,
                described, payer.balance - of_amount, payee.balance + of_amount, clock_timestamp())
        ON CONFLICT (id) DO NOTHING
        RETURNING * INTO written;
    END IF;

    IF written.id IS NULL THEN
        -- Between other accounts the same id may have been taken since the look above.
        SELECT * INTO earlier FROM transfer WHERE id = transfer_id;
        IF (earlier.kind, earlier.debit, earlier.credit, earlier.amount, earlier.reference, earlier.refund_of)
            IS DISTINCT FROM (of_kind, from_account, to_account, of_amount, for_reference, refunding)
        THEN
            RETURN refused('id_taken');
        END IF;
        RETURN ROW('replayed', earlier.id, earlier.amount, earlier.debit_balance, earlier.credit_balance,
                   earlier.created_at)::movement;
    END IF;

    UPDATE account
    SET balance = balance + CASE WHEN id = to_account THEN of_amount - fee_part ELSE -of_amount END,
        held = held + CASE
            WHEN id = from_account THEN -from_hold
            WHEN held_until IS NOT NULL THEN of_amount - fee_part
            ELSE 0
        END
    WHERE id IN (payer.id, payee.id);

    IF from_hold > 0 THEN
        DELETE FROM hold WHERE payment = refunding AND amount = from_hold;
        UPDATE hold SET amount = amount - from_hold WHERE payment = refunding;
    END IF;
    IF held_until IS NOT NULL THEN
        INSERT INTO hold (payment, account, amount, until) VALUES (transfer_id, to_account, of_amount - fee_part, held_until);
    END IF;
    IF fee_part > 0 THEN
        INSERT INTO transfer (id, kind, debit, credit, amount, currency, reference, description, debit_balance, created_at)
        VALUES (gen_random_uuid(), 'fee', to_account, house_account('fees', in_currency), fee_part, in_currency,
                for_reference, 'Commission', payee.balance + of_amount - fee_part, clock_timestamp());
        INSERT INTO fee (payment, currency, basis_points, kept) VALUES (transfer_id, in_currency, fee_points, fee_part);
    END IF;

    RETURN ROW('moved', written.id, written.amount, written.debit_balance, written.credit_balance,
               written.created_at)::movement;
END $$;

REVOKE ALL ON FUNCTION book FROM PUBLIC;
