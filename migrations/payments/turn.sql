-- As `pay()`, for callers who come again when they are sent away: four payments wait for the wallet of a payee at most, in all
-- copies of the function, so that one payee whom all pay does not take the connections of the others.
CREATE OR REPLACE FUNCTION pay_in_turn(
    payment uuid,
    payer uuid,
    payee uuid,
    of_amount bigint,
    in_currency text,
    for_reference text,
    described text,
    held_until timestamptz
) RETURNS movement LANGUAGE plpgsql AS $$
BEGIN
    FOR seat IN 1..4 LOOP
        IF pg_try_advisory_xact_lock(uuid_hash(payee), seat) THEN
            RETURN pay(payment, payer, payee, of_amount, in_currency, for_reference, described, held_until);
        END IF;
    END LOOP;
    RETURN ROW('crowded', NULL, NULL, NULL, NULL, NULL)::movement;
END $$;

REVOKE ALL ON FUNCTION pay_in_turn FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pay_in_turn TO wharf_payments;
