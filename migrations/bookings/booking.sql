-- Taking a place, and moving the end of a booking.

-- Takes a place for a window: Waiting until it is paid. A driver who names the price pays no other.
CREATE OR REPLACE FUNCTION book(
    the_request uuid, the_place bigint, the_driver uuid, starts timestamptz, ends timestamptz,
    expected_cost bigint
) RETURNS TABLE (outcome text, subject booking, payment uuid, due bigint, payee uuid)
LANGUAGE plpgsql AS $$
DECLARE
    p place;
    b booking;
    price bigint;
    the_charge uuid;
BEGIN
    -- All who want this place queue here.
    SELECT * INTO p FROM place WHERE id = the_place AND deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_place', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    SELECT * INTO b FROM booking WHERE request = the_request FOR UPDATE;
    IF b.status = 'Canceled' THEN
        RETURN QUERY SELECT 'called_off', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    IF FOUND THEN
        -- The copy goes on where the first one stopped, if it did.
        SELECT id INTO the_charge FROM charge
            WHERE booking_id = b.id AND status = 'opening' AND b.status = 'Waiting';
        RETURN QUERY SELECT 'booked', b, the_charge, b.full_cost, p.owner;
        RETURN;
    END IF;
    IF p.owner = the_driver THEN
        RETURN QUERY SELECT 'own_place', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    IF peak(the_place, starts, ends) >= p.capacity THEN
        RETURN QUERY SELECT 'no_availability', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    price := cost(p.hourly_rate, starts, ends);
    IF price = 0 THEN
        -- Slices that cost less than a cent would keep the place from those who pay.
        RETURN QUERY SELECT 'too_short', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    IF price <> expected_cost THEN
        RETURN QUERY SELECT 'price_changed', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    INSERT INTO booking (
        request, place_id, driver, date_from, date_to, held_to, kept_to, hourly_rate, full_cost, status
    )
    VALUES (
        the_request, the_place, the_driver, starts, ends, ends, kept_until(ends), p.hourly_rate, price,
        'Waiting'
    )
    RETURNING * INTO b;
    INSERT INTO charge (booking_id, amount, date_to)
    VALUES (b.id, price, ends)
    RETURNING id INTO the_charge;
    RETURN QUERY SELECT 'booked', b, the_charge, price, p.owner;
END
$$;

-- Moves the end of a confirmed booking, at the rate that was agreed on. Later: the difference is to
-- be paid first, and the place is kept meanwhile. Earlier: it holds at once, and the difference is
-- owed back.
CREATE OR REPLACE FUNCTION move_end(the_booking bigint, the_caller uuid, is_admin boolean, ends timestamptz)
RETURNS TABLE (
    outcome text, subject booking, payment uuid, due bigint, payee uuid, earlier jsonb, refunds jsonb
)
LANGUAGE plpgsql AS $$
DECLARE
    b booking;
    p place;
    c charge;
    price bigint;
    refusal text;
BEGIN
    SELECT place.* INTO p FROM place
        JOIN booking ON booking.place_id = place.id
        WHERE booking.id = the_booking FOR NO KEY UPDATE OF place;
    SELECT * INTO b FROM booking WHERE id = the_booking AND deleted_at IS NULL FOR UPDATE;
    SELECT * INTO c FROM charge WHERE booking_id = b.id AND status = 'opening';
    refusal := CASE
        WHEN b.id IS NULL THEN 'unknown_booking'
        -- It is the driver's money.
        WHEN NOT is_admin AND the_caller <> b.driver THEN 'forbidden'
        WHEN b.status <> 'Confirmed' THEN 'not_confirmed'
        WHEN b.date_to <= clock_timestamp() THEN 'over'
        WHEN ends <= b.date_from THEN 'wrong_order'
        WHEN ends > b.date_from + interval '8760 hours' THEN 'too_long'
        -- Shorter is always possible; more time on it is not for sale.
        WHEN p.deleted_at IS NOT NULL AND ends > b.date_to THEN 'unknown_place'
        WHEN cost(b.hourly_rate, b.date_from, ends) = 0 THEN 'too_short'
        WHEN c.date_to <> ends THEN 'busy'
    END;
    IF refusal IS NULL AND c.id IS NOT NULL THEN
        -- A copy of the request that is being paid goes on with its charge.
        RETURN QUERY SELECT 'to_pay', b, c.id, c.amount, p.owner, standing_charges(b.id), '[]'::jsonb;
        RETURN;
    END IF;
    IF refusal IS NULL AND ends > b.date_to AND peak(b.place_id, b.date_to, ends, b.id) >= p.capacity THEN
        refusal := 'no_availability';
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid, NULL::jsonb, NULL::jsonb;
        RETURN;
    END IF;
    price := cost(b.hourly_rate, b.date_from, ends) - b.full_cost;
    IF price > 0 THEN
        INSERT INTO charge (booking_id, amount, date_to) VALUES (b.id, price, ends) RETURNING * INTO c;
        UPDATE booking SET held_to = ends, kept_to = greatest(kept_to, kept_until(ends))
        WHERE id = b.id
        RETURNING * INTO b;
        RETURN QUERY SELECT 'to_pay', b, c.id, price, p.owner, standing_charges(b.id), '[]'::jsonb;
        RETURN;
    END IF;
    PERFORM owe(b.id, -price) WHERE price < 0;
    IF ends <> b.date_to THEN
        UPDATE booking SET
            date_to = ends, held_to = ends, full_cost = b.full_cost + price, reminded_at = NULL
        WHERE id = b.id
        RETURNING * INTO b;
        PERFORM tell(b, p, 'changed');
    END IF;
    RETURN QUERY SELECT 'moved', b, NULL::uuid, NULL::bigint, p.owner, '[]'::jsonb, owed(b.id);
END
$$;
