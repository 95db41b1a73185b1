-- Parts of approved payments that go back. The ledger books a part at once; the provider is asked afterwards, and again
-- until it says that as much has gone back. When the provider takes the whole payment back first (a chargeback), the payer
-- has the part with it, and the part is not sent as long as no dispute about that is won.

-- How much of an approved payment has gone back.
CREATE OR REPLACE FUNCTION gone_of(checkout_id uuid) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RETURN coalesce(
        (SELECT refunded FROM psp_payment WHERE checkout = checkout_id AND verdict = 'accepted'),
        (SELECT sum(amount)::bigint FROM part_refund WHERE checkout = checkout_id),
        0);
END $$;

-- Ends the parts of a payment that the provider has carried out: those up to `reported`, or all when the payment goes
-- back as a whole.
CREATE OR REPLACE FUNCTION end_parts(of_payment text, reported bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE part_refund SET status = 'done', refusal = NULL
    WHERE payment = of_payment AND status = 'owed' AND (reported IS NULL OR gone <= reported)
        AND checkout = (SELECT checkout FROM psp_payment WHERE id = of_payment);
END $$;

-- Ends the parts of a payment that the provider took back as a whole: the payer has their money, so they are not sent.
CREATE OR REPLACE FUNCTION take_parts_back(of_payment text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE part_refund SET status = 'taken_back', refusal = NULL WHERE payment = of_payment AND status = 'owed';
END $$;

-- A dispute was won and the money is with us again: parts that the provider does not report as sent are owed again.
-- Answers how much of the payment has gone back or has to.
CREATE OR REPLACE FUNCTION owe_parts_again(of_payment text, reported bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    part part_refund;
    total bigint := (SELECT amount FROM psp_payment WHERE id = of_payment);
    going bigint := reported;
BEGIN
    FOR part IN
        SELECT * FROM part_refund WHERE payment = of_payment AND status = 'taken_back' ORDER BY gone
    LOOP
        IF part.gone <= reported OR going + part.amount > total THEN
            UPDATE part_refund SET status = 'done' WHERE id = part.id;
        ELSE
            going := going + part.amount;
            UPDATE part_refund SET status = 'owed', gone = going WHERE id = part.id;
        END IF;
    END LOOP;
    RETURN going;
END $$;

-- Sends a part of an approved payment back, once per `part`. The last part makes it a whole refund. When less is left than
-- was asked for, nothing is sent and `left_over` is the rest.
CREATE OR REPLACE FUNCTION refund_part(checkout_id uuid, part uuid, wanted bigint)
RETURNS TABLE (outcome text, left_over bigint, card checkout_card)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it checkout;
    earlier part_refund;
    gone bigint;
    moved text;
    paid_by text;
    is_rest bool;
BEGIN
    -- Parts of other payments may be given the same id at the same moment.
    PERFORM lock_name(part);
    SELECT * INTO it FROM checkout WHERE id = checkout_id FOR NO KEY UPDATE;
    SELECT * INTO earlier FROM part_refund WHERE id = part;
    gone := gone_of(checkout_id);
    is_rest := wanted = it.amount - gone;
    IF it.id IS NULL THEN
        outcome := 'unknown_payment';
    ELSIF earlier.id IS NOT NULL THEN
        outcome := CASE WHEN (earlier.checkout, earlier.amount) = (checkout_id, wanted) THEN 'replayed' ELSE 'id_taken' END;
    ELSIF it.status <> 'approved' THEN
        outcome := 'changed';
    ELSIF wanted > it.amount - gone THEN
        outcome := 'nothing_left';
        left_over := it.amount - gone;
    ELSE
        SELECT id INTO paid_by FROM psp_payment WHERE checkout = checkout_id AND verdict = 'accepted';
        IF is_rest THEN
            moved := (apply_status(checkout_id, it.status, 'refunded')).outcome;
        ELSE
            moved := uncredit_checkout(it, wanted, false);
        END IF;
        outcome := moved;
        IF moved IN ('moved', 'changed_to') THEN
            INSERT INTO part_refund (id, checkout, payment, amount, gone, status)
            VALUES (part, checkout_id, paid_by, wanted, gone + wanted,
                    CASE WHEN is_rest OR paid_by IS NULL THEN 'done' ELSE 'owed' END);
        END IF;
        IF moved = 'moved' AND paid_by IS NOT NULL THEN
            UPDATE psp_payment SET refunded = gone + wanted WHERE id = paid_by;
            -- The request itself asks the provider first; this is for a request that dies before.
            UPDATE checkout SET updated_at = now(), visits = 0, visit_at = now() + interval '10 seconds'
            WHERE id = checkout_id;
        END IF;
    END IF;
    card := (seen(outcome, checkout_id)).card;
    RETURN NEXT;
END $$;

-- The provider says how much of a payment has gone back. Answers whether parts waited for that.
CREATE OR REPLACE FUNCTION finish_parts(checkout_id uuid, of_payment text, reported bigint)
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    PERFORM FROM part_refund WHERE checkout = checkout_id AND status = 'owed';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM FROM checkout WHERE id = checkout_id FOR NO KEY UPDATE;
    PERFORM end_parts(of_payment, reported);
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION gone_of, end_parts, take_parts_back, owe_parts_again, refund_part, finish_parts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refund_part, finish_parts TO wharf_payments;
