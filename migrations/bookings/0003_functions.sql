-- What must be decided under a lock. A statement sees what was committed before it began, also
-- after it waited for a lock; each statement of a function begins anew, so here what was waited
-- for is seen. Every function is one call, one transaction, and says what came of it.

-- The most bookings that stand at one instant of the half-open window. PL/pgSQL keeps the plan; an SQL
-- function is planned anew at each call, here and below while others stand in line.
CREATE FUNCTION peak(
    the_place bigint, starts timestamptz, ends timestamptz, except_booking bigint DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        WITH live AS (
            SELECT date_from, held_to
            FROM booking
            WHERE place_id = the_place AND status <> 'Canceled'
                AND date_from < ends AND held_to > starts
                AND id IS DISTINCT FROM except_booking
        ), step (at, change) AS (
            SELECT greatest(date_from, starts), 1 FROM live
            UNION ALL
            SELECT held_to, -1 FROM live
        ), standing (cars) AS (
            -- Who leaves at an instant has left when the next one comes.
            SELECT sum(change) OVER (ORDER BY at, change ROWS UNBOUNDED PRECEDING) FROM step
        )
        SELECT coalesce(max(cars), 0) FROM standing
    );
END
$$;

-- Until when the ledger keeps what is paid for a booking that ends then. Longer than what keeps a refund
-- from being made, longer than an extension that costs nothing; the owner does not wait for it, since the
-- sweep lets go soon after the end.
CREATE FUNCTION kept_until(ends timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN ends + interval '24 hours';

-- A line for both people of a booking, or for one of them.
CREATE FUNCTION tell(
    the_booking booking, the_place place, what text, parts text[] DEFAULT ARRAY['driver', 'owner']
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'booking:' || the_booking.id, jsonb_build_object(
        'user_id', reader.id,
        'template', 'booking_' || what || '_' || reader.part,
        'params', jsonb_build_object(
            'booking_id', the_booking.id,
            'place', the_place.name,
            'address', the_place.address,
            'date_from', to_char(the_booking.date_from AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
            'date_to', to_char(the_booking.date_to AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'),
            'amount_cents', the_booking.full_cost,
            'currency', 'USD'
        )
    )
    FROM (VALUES (the_booking.driver, 'driver'), (the_place.owner, 'owner')) AS reader (id, part)
    WHERE part = ANY (parts);
END
$$;

-- Takes a place for a window: Waiting until it is paid. Who says what they expect to pay pays nothing else.
CREATE FUNCTION book(
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
    -- All who want this place stand in line here.
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
    IF price <> expected_cost THEN
        RETURN QUERY SELECT 'price_changed', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    INSERT INTO booking (
        request, place_id, driver, date_from, date_to, held_to, kept_to, hourly_rate, full_cost, status
    )
    VALUES (
        the_request, the_place, the_driver, starts, ends, ends, kept_until(ends), p.hourly_rate, price,
        CASE WHEN price = 0 THEN 'Confirmed' ELSE 'Waiting' END
    )
    RETURNING * INTO b;
    IF price > 0 THEN
        INSERT INTO charge (booking_id, amount, date_to)
        VALUES (b.id, price, ends)
        RETURNING id INTO the_charge;
    ELSE
        PERFORM tell(b, p, 'created');
    END IF;
    RETURN QUERY SELECT 'booked', b, the_charge, price, p.owner;
END
$$;

-- The ledger has moved a charge: what it was for holds from now on.
CREATE FUNCTION charge_paid(the_charge uuid) RETURNS TABLE (outcome text, subject booking)
LANGUAGE plpgsql AS $$
DECLARE
    c charge;
    b booking;
    p place;
    was_waiting boolean;
BEGIN
    SELECT * INTO c FROM charge WHERE id = the_charge;
    SELECT * INTO b FROM booking WHERE id = c.booking_id FOR UPDATE;
    UPDATE charge SET status = 'paid' WHERE id = the_charge AND status = 'opening' RETURNING * INTO c;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'settled', b;
        RETURN;
    END IF;
    IF b.status = 'Canceled' THEN
        -- Called off while the money was on its way.
        INSERT INTO refund (booking_id, charge_id, amount) VALUES (b.id, c.id, c.amount);
        RETURN QUERY SELECT 'canceled', b;
        RETURN;
    END IF;
    was_waiting := b.status = 'Waiting';
    UPDATE booking SET
        status = 'Confirmed',
        date_to = c.date_to,
        held_to = c.date_to,
        full_cost = CASE WHEN was_waiting THEN b.full_cost ELSE b.full_cost + c.amount END,
        reminded_at = NULL
    WHERE id = b.id
    RETURNING * INTO b;
    SELECT * INTO p FROM place WHERE id = b.place_id;
    PERFORM tell(b, p, CASE WHEN was_waiting THEN 'created' ELSE 'changed' END);
    RETURN QUERY SELECT 'confirmed', b;
END
$$;

-- The ledger will never move a charge: what it was for is off. The driver is told unless they hear it as
-- the answer to their request.
CREATE FUNCTION charge_void(the_charge uuid, is_answer boolean) RETURNS TABLE (outcome text, subject booking)
LANGUAGE plpgsql AS $$
DECLARE
    c charge;
    b booking;
    p place;
    was_waiting boolean;
BEGIN
    SELECT * INTO c FROM charge WHERE id = the_charge;
    SELECT * INTO b FROM booking WHERE id = c.booking_id FOR UPDATE;
    UPDATE charge SET status = 'void' WHERE id = the_charge AND status = 'opening';
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'settled', b;
        RETURN;
    END IF;
    was_waiting := b.status = 'Waiting';
    UPDATE booking SET
        status = CASE WHEN was_waiting THEN 'Canceled' ELSE b.status END,
        request = CASE WHEN was_waiting THEN NULL ELSE b.request END,
        held_to = b.date_to
    WHERE id = b.id
    RETURNING * INTO b;
    RETURN QUERY SELECT 'void', b;
    IF was_waiting AND NOT is_answer THEN
        SELECT * INTO p FROM place WHERE id = b.place_id;
        -- Nothing was paid, so nothing comes back.
        b.full_cost := 0;
        PERFORM tell(b, p, 'canceled', ARRAY['driver']);
    END IF;
END
$$;

-- Owes `the_amount` back, from the latest charges first.
CREATE FUNCTION owe(the_booking bigint, the_amount bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    WITH paid AS (
        SELECT c.id,
            c.amount - coalesce((SELECT sum(r.amount) FROM refund r WHERE r.charge_id = c.id), 0) AS rest,
            c.created_at
        FROM charge c
        WHERE c.booking_id = the_booking AND c.status = 'paid'
    ), stacked AS (
        SELECT id, rest, sum(rest) OVER (ORDER BY created_at DESC, id) - rest AS above FROM paid
    )
    INSERT INTO refund (booking_id, charge_id, amount)
    SELECT the_booking, id, least(rest, the_amount - above)
    FROM stacked
    WHERE rest > 0 AND above < the_amount;
END
$$;

-- What a booking's driver is still to get back.
CREATE FUNCTION owed(the_booking bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', id, 'booking_id', booking_id, 'charge_id', charge_id, 'amount', amount
        )), '[]')
        FROM refund
        WHERE booking_id = the_booking AND status = 'owed'
    );
END
$$;

-- The charges of which the owner still has something, and so the ledger something to keep.
CREATE FUNCTION standing_charges(the_booking bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(id), '[]')
        FROM charge
        WHERE booking_id = the_booking AND status = 'paid'
            AND amount > (SELECT coalesce(sum(amount), 0) FROM refund WHERE charge_id = charge.id)
    );
END
$$;

-- Calls a booking off, and hides it when it is deleted. What was paid is owed back, once.
CREATE FUNCTION cancel(the_booking bigint, the_caller uuid, is_admin boolean, hide boolean)
RETURNS TABLE (outcome text, subject booking, refunds jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    b booking;
    p place;
BEGIN
    SELECT * INTO b FROM booking WHERE id = the_booking AND deleted_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_booking', NULL::booking, NULL::jsonb;
        RETURN;
    END IF;
    SELECT * INTO p FROM place WHERE id = b.place_id;
    IF NOT is_admin AND the_caller NOT IN (b.driver, p.owner) THEN
        RETURN QUERY SELECT 'forbidden', NULL::booking, NULL::jsonb;
        RETURN;
    END IF;
    -- Until a booking ends its price goes back in full; then the owner has earned it, and may have spent
    -- it. The clock is looked at under the lock: by `now()` a statement that waited long would come late.
    IF b.status = 'Confirmed' AND b.date_to <= clock_timestamp() THEN
        RETURN QUERY SELECT 'over', NULL::booking, NULL::jsonb;
        RETURN;
    END IF;
    IF b.status = 'Confirmed' THEN
        PERFORM owe(b.id, b.full_cost) WHERE b.full_cost > 0;
        PERFORM tell(b, p, 'canceled');
    END IF;
    -- A charge that is still on its way finds the booking canceled and is owed back then.
    UPDATE booking SET
        status = 'Canceled',
        held_to = b.date_to,
        deleted_at = CASE WHEN hide THEN now() END
    WHERE id = b.id
    RETURNING * INTO b;
    RETURN QUERY SELECT 'canceled', b, owed(b.id);
END
$$;

-- Moves the end of a confirmed booking, at the rate that was agreed on. Later: the difference is to
-- be paid first, and the place is kept meanwhile. Earlier: it holds at once, and the difference is
-- owed back.
CREATE FUNCTION move_end(the_booking bigint, the_caller uuid, is_admin boolean, ends timestamptz)
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

-- Replaces what an owner says about a place; what is booked must still fit.
CREATE FUNCTION place_change(
    the_place bigint, the_caller uuid, is_admin boolean,
    new_name text, new_city text, new_address text, new_type text,
    new_rate bigint, new_capacity int, new_latitude double precision, new_longitude double precision
) RETURNS TABLE (outcome text, subject place)
LANGUAGE plpgsql AS $$
DECLARE
    p place;
BEGIN
    SELECT * INTO p FROM place WHERE id = the_place AND deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_place', NULL::place;
        RETURN;
    END IF;
    IF NOT is_admin AND p.owner <> the_caller THEN
        RETURN QUERY SELECT 'forbidden', NULL::place;
        RETURN;
    END IF;
    IF new_capacity < p.capacity AND peak(the_place, now(), 'infinity') > new_capacity THEN
        RETURN QUERY SELECT 'booked_beyond', NULL::place;
        RETURN;
    END IF;
    UPDATE place SET
        name = new_name, city = new_city, address = new_address, parking_type = new_type,
        hourly_rate = new_rate, capacity = new_capacity,
        latitude = new_latitude, longitude = new_longitude
    WHERE id = the_place
    RETURNING * INTO p;
    RETURN QUERY SELECT 'changed', p;
END
$$;

-- Hides a place that nobody is going to stand on any more.
CREATE FUNCTION place_remove(the_place bigint, the_caller uuid, is_admin boolean) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    p place;
BEGIN
    SELECT * INTO p FROM place WHERE id = the_place AND deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_place';
    END IF;
    IF NOT is_admin AND p.owner <> the_caller THEN
        RETURN 'forbidden';
    END IF;
    IF peak(the_place, now(), 'infinity') > 0 THEN
        RETURN 'still_booked';
    END IF;
    UPDATE place SET deleted_at = now() WHERE id = the_place;
    RETURN 'removed';
END
$$;

-- Forgets somebody who was erased: their places are offered no more, and what has not begun, there or in
-- their name, is called off and owed back. Who stands somewhere already stays to the end that was paid.
-- Says how many were called off; when none was, there are no more.
CREATE FUNCTION forget(the_user uuid, at_most int) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    the_booking bigint;
    called_off bigint := 0;
BEGIN
    -- Who is booking there right now is waited for, and seen below.
    UPDATE place SET deleted_at = now() WHERE owner = the_user AND deleted_at IS NULL;
    FOR the_booking IN
        SELECT id
        FROM (
            SELECT id FROM booking
            WHERE driver = the_user AND status <> 'Canceled' AND date_from > now() AND deleted_at IS NULL
            UNION
            SELECT booking.id FROM place JOIN booking ON place_id = place.id
            WHERE owner = the_user AND status <> 'Canceled' AND date_from > now()
                AND booking.deleted_at IS NULL
        ) AS coming
        ORDER BY id
        LIMIT at_most
    LOOP
        PERFORM cancel(the_booking, the_user, true, false);
        called_off := called_off + 1;
    END LOOP;
    RETURN called_off;
END
$$;
