-- Limits the queue at the wallet of one payee: four payments and two refunds wait for its lock, over all copies of the
-- function. So a popular payee cannot take all connections. Further movements are refused and retried. Refunds have seats
-- of their own, so that ever new payments cannot keep them out. A promo code has four seats, too.

-- Takes one of these seats until the transaction ends. Answers whether one was free.
CREATE OR REPLACE FUNCTION take_seat(wanted uuid, from_seat int, to_seat int) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    FOR seat IN from_seat..to_seat LOOP
        IF pg_try_advisory_xact_lock(uuid_hash(wanted), seat) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

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
    IF NOT take_seat(payee, 1, 4) THEN
        RETURN ROW('crowded', NULL, NULL, NULL, NULL, NULL)::movement;
    END IF;
    RETURN pay(payment, payer, payee, of_amount, in_currency, for_reference, described, held_until);
END $$;

CREATE OR REPLACE FUNCTION refund_in_turn(refund_id uuid, payment uuid, wanted bigint, described text)
RETURNS movement LANGUAGE plpgsql AS $$
DECLARE
    paid_to uuid := (SELECT payee FROM payment AS it WHERE it.id = refund_in_turn.payment);
BEGIN
    -- A payment that does not exist has no payee to wait for.
    IF paid_to IS NOT NULL AND NOT take_seat(paid_to, 5, 6) THEN
        RETURN ROW('crowded', NULL, NULL, NULL, NULL, NULL)::movement;
    END IF;
    RETURN refund(refund_id, payment, wanted, described);
END $$;

REVOKE ALL ON FUNCTION take_seat, pay_in_turn, refund_in_turn FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_seat, pay_in_turn, refund_in_turn TO wharf_payments;
