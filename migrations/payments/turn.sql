-- A place in the queue for the wallet of a payee: four payments wait for its row at most, in all copies of the function. All
-- others are sent away and come again, so that one payee whom all pay does not take the connections of the others.
CREATE OR REPLACE FUNCTION is_admitted(payee uuid) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    FOR seat IN 1..4 LOOP
        IF pg_try_advisory_xact_lock(uuid_hash(payee), seat) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- As `pay()`, for callers who come again.
CREATE OR REPLACE FUNCTION pay_in_turn(
    payment uuid,
    payer uuid,
    payee uuid,
    of_amount bigint,
    in_currency text,
    for_reference text,
    described text,
    held_until timestamptz
) RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    IF NOT is_admitted(payee) THEN
        RETURN refused('crowded');
    END IF;
    RETURN pay(payment, payer, payee, of_amount, in_currency, for_reference, described, held_until);
END $$;

REVOKE ALL ON FUNCTION is_admitted, pay_in_turn FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pay_in_turn TO wharf_payments;
