-- Refunds a part of an approved payment, or all that is left of it.
CREATE OR REPLACE FUNCTION refund_payment(the_payment bigint, wanted bigint, asked text)
RETURNS TABLE (outcome text, made refund)
LANGUAGE plpgsql AS $$
DECLARE
    standing text;
    rest bigint;
BEGIN
    SELECT status INTO standing FROM payment WHERE id = the_payment FOR UPDATE;
    SELECT bill.amount - coalesce((SELECT sum(amount) FROM refund WHERE payment = the_payment), 0) INTO rest
    FROM payment JOIN bill ON bill.id = payment.bill WHERE payment.id = the_payment;
    SELECT * INTO made FROM refund WHERE asked_as = asked AND payment = the_payment;
    IF made.id IS NULL AND standing = 'refunded' AND wanted IS NULL THEN
        SELECT * INTO made FROM refund WHERE payment = the_payment ORDER BY id DESC LIMIT 1;
    END IF;
    outcome := CASE
        WHEN made.id IS NOT NULL THEN 'replayed'
        WHEN standing IS NULL OR standing NOT IN ('approved', 'refunded') OR coalesce(wanted, rest) > rest THEN
            'not_refundable'
        ELSE 'refunded'
    END;
    IF outcome = 'refunded' THEN
        INSERT INTO refund (payment, amount, asked_as) VALUES (the_payment, coalesce(wanted, rest), asked)
        RETURNING * INTO made;
        UPDATE payment SET status = CASE WHEN made.amount = rest THEN 'refunded' ELSE status END, updated_at = now()
        WHERE id = the_payment;
    END IF;
    RETURN NEXT;
END
$$;
