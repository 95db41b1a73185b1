-- Taking a place, and moving the start or the end of a booking.

-- The reason to refuse a driver before the place is locked. `funds` is the money of the driver; null when that was not looked at. A
-- driver is refused for a lack of money only when nothing else would refuse the booking; `book()` gives all other reasons. A copy
-- of a request is never refused.
CREATE OR REPLACE FUNCTION refuse_early(
    the_request uuid, the_place bigint, the_driver uuid, starts timestamptz, ends timestamptz, expected_cost bigint,
    funds bigint
) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    p place;
    price bigint;
BEGIN
    IF EXISTS (SELECT FROM booking WHERE request = the_request) THEN
        RETURN NULL;
    END IF;
    IF funds IS NULL THEN
        RETURN 'unknown_funds';
    END IF;
    SELECT * INTO p FROM place WHERE id = the_place AND deleted_at IS NULL;
    price := cost(p.hourly_rate, starts, ends);
    IF funds < price AND p.owner <> the_driver AND price = coalesce(expected_cost, price)
        AND is_open(p.time_zone, p.opening, p.blackouts, starts, ends) AND peak(the_place, starts, ends) < p.capacity
    THEN
        RETURN 'insufficient_funds';
    END IF;
    RETURN NULL;
END
$$;

-- Whether a driver is known to pay, so that their funds are not looked at: the newest of all their bookings, deleted ones
-- included, was paid and stands. One transaction of a driver at a time is told so, because several at once would all see the
-- same newest booking.
CREATE OR REPLACE FUNCTION is_known_to_pay(the_driver uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    -- Seats of a queue have numbers from 1.
    IF NOT pg_try_advisory_xact_lock(uuid_hash(the_driver), 0) THEN
        RETURN false;
    END IF;
    RETURN coalesce((
        SELECT newest.status = 'Confirmed'
        FROM (VALUES ('Confirmed'), ('Canceled'), ('Waiting')) AS known (status)
        CROSS JOIN LATERAL (
            SELECT id, booking.status
            FROM booking
            WHERE driver = the_driver AND booking.status = known.status
            ORDER BY id DESC
            LIMIT 1
        ) AS newest
        ORDER BY id DESC
        LIMIT 1
    ), false);
END
$$;

-- Takes a place for a window: Waiting until it is paid. A driver who names the price pays no other. `funds` is what the
-- driver can spend; null when that was not looked at. Copies of the release before do not look.
DROP FUNCTION IF EXISTS book(uuid, bigint, uuid, timestamptz, timestamptz, bigint);
DROP FUNCTION IF EXISTS book(uuid, bigint, uuid, timestamptz, timestamptz, bigint, text, text);
CREATE OR REPLACE FUNCTION book(
    the_request uuid, the_place bigint, the_driver uuid, starts timestamptz, ends timestamptz,
    expected_cost bigint, the_plate text DEFAULT NULL, written text DEFAULT NULL,
    funds bigint DEFAULT 9223372036854775807
) RETURNS TABLE (outcome text, subject booking, payment uuid, due bigint, payee uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    p place;
    b booking;
    price bigint;
    the_charge uuid;
    refusal text;
BEGIN
    IF funds IS NOT NULL OR NOT is_known_to_pay(the_driver) THEN
        refusal := refuse_early(the_request, the_place, the_driver, starts, ends, expected_cost, funds);
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    IF NOT is_admitted(the_place) THEN
        RETURN QUERY SELECT 'crowded', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
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
    IF NOT is_open(p.time_zone, p.opening, p.blackouts, starts, ends) THEN
        RETURN QUERY SELECT 'closed', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    IF peak(the_place, starts, ends) >= p.capacity THEN
        RETURN QUERY SELECT 'no_availability', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    price := cost(p.hourly_rate, starts, ends);
    IF price = 0 THEN
        -- Slices that cost less than a cent would keep the place from drivers who pay.
        RETURN QUERY SELECT 'too_short', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    IF price <> expected_cost THEN
        RETURN QUERY SELECT 'price_changed', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    IF funds < price + (
        SELECT coalesce(sum(full_cost), 0) FROM booking WHERE driver = the_driver AND status = 'Waiting'
    ) THEN
        -- Several bookings at once would keep more of the place than their driver can pay. That is no lack of money yet: the
        -- others may be refused, or be paid from money that `funds` no longer contains. So the request is to come again.
        RETURN QUERY SELECT 'crowded', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid;
        RETURN;
    END IF;
    INSERT INTO booking (
        request, place_id, driver, date_from, date_to, held_to, kept_to, hourly_rate, full_cost, status,
        refund_free_hours, refund_percent, overstay, plate, shown_plate
    )
    VALUES (
        the_request, the_place, the_driver, starts, ends, ends, kept_until(ends), p.hourly_rate, price,
        'Waiting', p.refund_free_hours, p.refund_percent, p.overstay, the_plate, written
    )
    RETURNING * INTO b;
    INSERT INTO charge (booking_id, amount, date_to)
    VALUES (b.id, price, ends)
    RETURNING id INTO the_charge;
    RETURN QUERY SELECT 'booked', b, the_charge, price, p.owner;
END
$$;

-- Moves the start or the end of a confirmed booking, at the rate that was agreed on; what is null stays. More time: the
-- difference is to be paid first, and the place is kept meanwhile. Less: it holds at once, and the difference is owed
-- back. `funds` is what the driver can spend; null when that was not looked at. Copies of the release before do not look.
DROP FUNCTION IF EXISTS move_booking(bigint, uuid, boolean, timestamptz, timestamptz);
CREATE OR REPLACE FUNCTION move_booking(
    the_booking bigint, the_caller uuid, is_admin boolean, new_start timestamptz, new_end timestamptz,
    funds bigint DEFAULT 9223372036854775807
) RETURNS TABLE (
    outcome text, subject booking, payment uuid, due bigint, payee uuid, earlier jsonb, refunds jsonb
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    b booking;
    p place;
    c charge;
    starts timestamptz;
    ends timestamptz;
    price bigint;
    is_longer boolean;
    -- The owner keeps at least this much of the booking from now on, also when it is canceled.
    least_kept bigint;
    refusal text;
BEGIN
    IF NOT is_admitted((SELECT place_id FROM booking WHERE id = the_booking)) THEN
        RETURN QUERY SELECT 'crowded', NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid, NULL::jsonb, NULL::jsonb;
        RETURN;
    END IF;
    SELECT place.* INTO p FROM place
        JOIN booking ON booking.place_id = place.id
        WHERE booking.id = the_booking FOR NO KEY UPDATE OF place;
    SELECT * INTO b FROM booking WHERE id = the_booking AND deleted_at IS NULL FOR UPDATE;
    SELECT * INTO c FROM charge WHERE booking_id = b.id AND status = 'opening';
    starts := coalesce(new_start, b.date_from);
    ends := coalesce(new_end, b.date_to);
    is_longer := starts < b.date_from OR ends > b.date_to;
    least_kept := CASE
        WHEN is_free(b, clock_timestamp()) OR the_caller <> b.driver THEN b.least_cost
        ELSE greatest(b.least_cost, b.full_cost * b.refund_percent / 100)
    END;
    refusal := CASE
        WHEN b.id IS NULL THEN 'unknown_booking'
        -- It is the driver's money.
        WHEN NOT is_admin AND the_caller <> b.driver THEN 'forbidden'
        WHEN b.status <> 'Confirmed' THEN 'not_confirmed'
        WHEN b.date_to <= clock_timestamp() THEN 'over'
        WHEN starts <> b.date_from AND b.date_from <= clock_timestamp() THEN 'begun'
        WHEN ends <= starts THEN 'wrong_order'
        WHEN ends > starts + interval '8760 hours' THEN 'too_long'
        -- Shorter is always possible; more time on it is not for sale.
        WHEN p.deleted_at IS NOT NULL AND is_longer THEN 'unknown_place'
        WHEN cost(b.hourly_rate, starts, ends) = 0 THEN 'too_short'
        WHEN c.id IS NOT NULL AND (c.date_to <> ends OR coalesce(c.date_from, b.date_from) <> starts) THEN 'busy'
    END;
    IF refusal IS NULL AND c.id IS NOT NULL THEN
        -- A copy of the request that is being paid goes on with its charge.
        RETURN QUERY SELECT 'to_pay', b, c.id, c.amount, p.owner, standing_charges(b.id), '[]'::jsonb;
        RETURN;
    END IF;
    price := cost(b.hourly_rate, starts, ends) - b.full_cost;
    refusal := coalesce(refusal, CASE
        WHEN is_longer AND NOT is_open(p.time_zone, p.opening, p.blackouts, starts, ends) THEN 'closed'
        WHEN ends > b.date_to AND peak(b.place_id, greatest(b.date_to, starts), ends, b.id) >= p.capacity
            THEN 'no_availability'
        WHEN starts < b.date_from AND peak(b.place_id, starts, least(b.date_from, ends), b.id) >= p.capacity
            THEN 'no_availability'
        WHEN price < 0 AND b.full_cost + price < least_kept THEN 'kept_by_rules'
        -- Otherwise drivers without money would keep the place from others, for as long as the ledger takes to refuse them.
        WHEN price > 0 AND funds IS NULL THEN 'unknown_funds'
        WHEN price > funds THEN 'insufficient_funds'
    END);
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::booking, NULL::uuid, NULL::bigint, NULL::uuid, NULL::jsonb, NULL::jsonb;
        RETURN;
    END IF;
    IF price > 0 THEN
        INSERT INTO charge (booking_id, amount, date_from, date_to)
        VALUES (b.id, price, nullif(starts, b.date_from), ends)
        RETURNING * INTO c;
        UPDATE booking SET
            held_from = CASE WHEN starts < b.date_from THEN starts END,
            held_to = greatest(b.date_to, ends),
            kept_to = greatest(kept_to, kept_until(ends)),
            least_cost = least_kept
        WHERE id = b.id
        RETURNING * INTO b;
        RETURN QUERY SELECT 'to_pay', b, c.id, price, p.owner, standing_charges(b.id), '[]'::jsonb;
        RETURN;
    END IF;
    PERFORM owe(b.id, -price) WHERE price < 0;
    IF starts <> b.date_from OR ends <> b.date_to THEN
        UPDATE booking SET
            date_from = starts, date_to = ends, held_to = ends, full_cost = b.full_cost + price,
            least_cost = least_kept, reminded_at = NULL
        WHERE id = b.id
        RETURNING * INTO b;
        PERFORM tell(b, p, 'changed');
    END IF;
    RETURN QUERY SELECT 'moved', b, NULL::uuid, NULL::bigint, p.owner, '[]'::jsonb, owed(b.id);
END
$$;

-- Copies of the release before call this one.
CREATE OR REPLACE FUNCTION move_end(the_booking bigint, the_caller uuid, is_admin boolean, ends timestamptz)
RETURNS TABLE (
    outcome text, subject booking, payment uuid, due bigint, payee uuid, earlier jsonb, refunds jsonb
)
LANGUAGE sql AS $$
    SELECT * FROM move_booking(the_booking, the_caller, is_admin, NULL, ends)
$$;

-- The ledger has moved a charge: what it was for holds from now on.
CREATE OR REPLACE FUNCTION charge_paid(the_charge uuid) RETURNS TABLE (outcome text, subject booking)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    c charge;
    b booking;
    p place;
    was_waiting boolean;
BEGIN
    SELECT * INTO c FROM charge WHERE id = the_charge;
    SELECT * INTO b FROM booking WHERE id = c.booking_id FOR UPDATE;
    -- From now on `due_at` is the earliest moment of the next try to release its money. Only a failed try moves it.
    UPDATE charge SET status = 'paid', due_at = now()
    WHERE id = the_charge AND status = 'opening'
    RETURNING * INTO c;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'settled', b;
        RETURN;
    END IF;
    IF c.is_overstay THEN
        -- The owner may have waived it while the money was on its way.
        INSERT INTO refund (booking_id, charge_id, amount)
        SELECT b.id, c.id, c.amount - (b.overstay_cost - b.overstay_paid)
        WHERE c.amount > b.overstay_cost - b.overstay_paid;
        UPDATE booking SET overstay_paid = least(overstay_cost, overstay_paid + c.amount)
        WHERE id = b.id
        RETURNING * INTO b;
        RETURN QUERY SELECT 'confirmed', b;
        RETURN;
    END IF;
    IF b.status = 'Canceled' THEN
        -- Canceled while the money was on its way.
        INSERT INTO refund (booking_id, charge_id, amount) VALUES (b.id, c.id, c.amount);
        RETURN QUERY SELECT 'canceled', b;
        RETURN;
    END IF;
    was_waiting := b.status = 'Waiting';
    UPDATE booking SET
        status = 'Confirmed',
        date_from = coalesce(c.date_from, b.date_from),
        date_to = c.date_to,
        held_from = NULL,
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

-- The ledger will never move a charge: what it was for is off. The driver is told unless the answer to the request
-- says so.
CREATE OR REPLACE FUNCTION charge_void(the_charge uuid, is_answer boolean) RETURNS TABLE (outcome text, subject booking)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    c charge;
    b booking;
    p place;
    was_waiting boolean;
    -- Whether the car has left, and what that costs was not waived.
    is_counted boolean;
BEGIN
    SELECT * INTO c FROM charge WHERE id = the_charge;
    SELECT * INTO b FROM booking WHERE id = c.booking_id FOR UPDATE;
    UPDATE charge SET status = 'void' WHERE id = the_charge AND status = 'opening';
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'settled', b;
        RETURN;
    END IF;
    IF c.is_overstay THEN
        -- It stays owed.
        RETURN QUERY SELECT 'void', b;
        RETURN;
    END IF;
    was_waiting := b.status = 'Waiting';
    is_counted := b.checked_out_at IS NOT NULL AND b.overstay_cost = overstay_of(b, b.checked_out_at);
    UPDATE booking SET
        status = CASE WHEN was_waiting THEN 'Canceled' ELSE b.status END,
        request = CASE WHEN was_waiting THEN NULL ELSE b.request END,
        held_from = NULL,
        held_to = b.date_to
    WHERE id = b.id
    RETURNING * INTO b;
    IF is_counted THEN
        -- The car has left, and time counted as paid that was not.
        b := owe_overstay(b);
    END IF;
    RETURN QUERY SELECT 'void', b;
    IF was_waiting AND NOT is_answer THEN
        SELECT * INTO p FROM place WHERE id = b.place_id;
        -- Nothing was paid, so nothing comes back.
        b.full_cost := 0;
        PERFORM tell(b, p, 'canceled', ARRAY['driver']);
    END IF;
END
$$;

-- The ledger has paid a refund. Answers whether it was owed.
CREATE OR REPLACE FUNCTION finish_refund(the_refund uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
BEGIN
    UPDATE refund SET status = 'done' WHERE id = the_refund AND status = 'owed';
    RETURN FOUND;
END
$$;
