-- The checkouts that the sweep visits.

-- Whether a part or all of it has to be sent back, and is not stuck.
CREATE OR REPLACE FUNCTION owes_return(checkout_id uuid) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM psp_payment
        WHERE psp_payment.checkout = checkout_id AND verdict = 'returning' AND NOT is_stuck(psp_payment.id)
        UNION ALL
        SELECT FROM part_refund
        WHERE part_refund.checkout = checkout_id AND part_refund.status = 'owed'
            AND NOT is_stuck(part_refund.id::text))
$$;

-- With a path of its own: statements of an operator have another one.
CREATE OR REPLACE FUNCTION class_checkout() RETURNS trigger LANGUAGE plpgsql
SET search_path = payments, pg_temp AS $$
BEGIN
    NEW.is_aftercare := NOT is_open(NEW.status) AND NOT owes_return(NEW.id);
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER checkout_is_classed BEFORE UPDATE OF visit_at ON checkout
    FOR EACH ROW EXECUTE FUNCTION class_checkout();

-- Claims due checkouts of one class and sets when they come due next, so a sweep that dies over one only delays it.
CREATE OR REPLACE FUNCTION claim_visits(at_most int, of_aftercare bool)
RETURNS SETOF checkout_card LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    due uuid[];
BEGIN
    -- A statement for each class, so that each has an index of its own.
    IF of_aftercare THEN
        SELECT array_agg(id) INTO due FROM (
            SELECT id FROM checkout WHERE visit_at <= now() AND is_aftercare
            ORDER BY visit_at LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED) AS first;
    ELSE
        SELECT array_agg(id) INTO due FROM (
            SELECT id FROM checkout WHERE visit_at <= now() AND NOT is_aftercare
            ORDER BY visit_at LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED) AS first;
    END IF;
    UPDATE checkout SET visits = visits + 1, visit_at = next_visit(checkout, owes_return(checkout.id))
    WHERE id = ANY (due);
    RETURN QUERY SELECT * FROM checkout_card WHERE id = ANY (due);
END $$;

-- For copies of the release before.
CREATE OR REPLACE FUNCTION visit_checkouts(at_most int)
RETURNS SETOF checkout_card LANGUAGE sql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
    SELECT * FROM claim_visits(at_most, false)
$$;

REVOKE ALL ON FUNCTION owes_return, class_checkout, claim_visits, visit_checkouts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_visits, visit_checkouts TO wharf_payments;
