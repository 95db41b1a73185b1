-- Cars that come and leave, by their plates, and what leaving late costs.

-- The cost of leaving at a moment. Within the grace it is nothing. Later all of the time after the end counts, by minutes or hours
-- that have begun. An extension that is being paid counts as paid; if it is not paid after all, the cost is computed again. The kept
-- part of later bookings of the car that were canceled has paid for a part of it. A canceled booking that began earlier counts
-- towards an earlier overstay, and towards one only.
CREATE OR REPLACE FUNCTION overstay_of(b booking, at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    ends timestamptz := greatest(b.date_to, b.held_to);
    minutes numeric;
BEGIN
    IF b.overstay IS NULL OR b.status <> 'Confirmed'
        OR at <= ends + (b.overstay ->> 'grace_minutes')::int * interval '1 minute'
    THEN
        RETURN 0;
    END IF;
    minutes := ceil(extract(epoch FROM at - ends) / 60);
    IF b.overstay ->> 'per' = 'hour' THEN
        minutes := ceil(minutes / 60) * 60;
    END IF;
    RETURN greatest(0, least(
        (b.overstay ->> 'max_cost')::bigint,
        trunc(minutes * b.hourly_rate * (b.overstay ->> 'rate_percent')::int / 6000)
    ) - (
        SELECT coalesce(sum(kept_cost), 0)
        FROM booking AS later
        WHERE later.plate = b.plate AND later.place_id = b.place_id AND later.kept_cost > 0
            AND later.date_to > ends AND later.date_from >= b.date_from AND later.date_from < at
    ));
END
$$;

-- Owes what it costs that the car of a booking left when it did, and tells both people.
CREATE OR REPLACE FUNCTION owe_overstay(b booking) RETURNS booking
LANGUAGE plpgsql AS $$
DECLARE
    owed_now bigint := overstay_of(b, b.checked_out_at);
    told booking;
    p place;
BEGIN
    IF owed_now > b.overstay_cost THEN
        -- The request takes it now.
        UPDATE booking SET overstay_cost = owed_now, overstay_due_at = clock_timestamp() + interval '10 seconds'
        WHERE id = b.id
        RETURNING * INTO b;
        SELECT * INTO p FROM place WHERE id = b.place_id;
        told := b;
        told.full_cost := owed_now;
        PERFORM tell(told, p, 'overstay');
    END IF;
    RETURN b;
END
$$;

-- While a car is locked at a place, it comes and leaves nowhere else there.
CREATE OR REPLACE FUNCTION lock_car(the_place bigint, the_plate text) RETURNS void
LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended(the_place || ' ' || the_plate, 0))
$$;

-- Why a caller may not say that cars come to a place and leave it. A removed place still has cars on it.
CREATE OR REPLACE FUNCTION gate_refusal(the_place bigint, the_caller uuid, is_admin boolean) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    its_owner uuid;
BEGIN
    SELECT owner INTO its_owner FROM place WHERE id = the_place;
    RETURN CASE
        WHEN its_owner IS NULL THEN 'unknown_place'
        WHEN NOT is_admin AND its_owner <> the_caller THEN 'forbidden'
    END;
END
$$;

-- A car comes to a place where it is booked now. One that is inside already changes nothing.
CREATE OR REPLACE FUNCTION check_in(the_place bigint, the_caller uuid, is_admin boolean, the_plate text)
RETURNS TABLE (outcome text, subject booking)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    refusal text := gate_refusal(the_place, the_caller, is_admin);
    b booking;
    at timestamptz;
BEGIN
    IF refusal IS NULL AND NOT is_admitted(the_place, 'gate') THEN
        refusal := 'crowded';
    END IF;
    IF refusal IS NULL THEN
        PERFORM lock_car(the_place, the_plate);
        at := clock_timestamp();
        SELECT * INTO b FROM booking
        WHERE plate = the_plate AND place_id = the_place AND status = 'Confirmed' AND date_from <= at AND date_to > at
        ORDER BY checked_in_at IS NOT NULL AND checked_out_at IS NULL DESC, date_from, id
        LIMIT 1 FOR UPDATE;
        refusal := CASE
            WHEN b.id IS NOT NULL THEN NULL
            WHEN EXISTS (
                SELECT FROM booking
                WHERE plate = the_plate AND place_id = the_place AND status = 'Confirmed' AND date_to > at
                    AND date_from <= at + interval '1 day'
            ) THEN 'not_yet'
            ELSE 'no_car_booking'
        END;
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::booking;
        RETURN;
    END IF;
    IF b.checked_in_at IS NULL OR b.checked_out_at IS NOT NULL THEN
        -- It comes, so it has left since, unseen; when it did costs nothing.
        UPDATE booking SET checked_out_at = greatest(checked_in_at, least(date_to, at))
        WHERE place_id = the_place AND plate = the_plate AND checked_in_at IS NOT NULL AND checked_out_at IS NULL;
        UPDATE booking SET checked_in_at = coalesce(checked_in_at, at), checked_out_at = NULL
        WHERE id = b.id
        RETURNING * INTO b;
    END IF;
    RETURN QUERY SELECT 'checked_in', b;
END
$$;

-- A car leaves a place. What leaving late costs is owed from then on. Where the car is booked again, it has stayed for the
-- next booking. One that left a moment ago changes nothing.
CREATE OR REPLACE FUNCTION check_out(the_place bigint, the_caller uuid, is_admin boolean, the_plate text)
RETURNS TABLE (outcome text, subject booking)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    refusal text := gate_refusal(the_place, the_caller, is_admin);
    b booking;
    later booking;
    at timestamptz;
    left_at timestamptz;
BEGIN
    IF refusal IS NULL AND NOT is_admitted(the_place, 'gate') THEN
        refusal := 'crowded';
    END IF;
    IF refusal IS NULL THEN
        PERFORM lock_car(the_place, the_plate);
        at := clock_timestamp();
        SELECT * INTO b FROM booking
        WHERE place_id = the_place AND plate = the_plate AND checked_in_at IS NOT NULL
            AND (checked_out_at IS NULL OR checked_out_at > at - interval '10 minutes')
        ORDER BY checked_out_at IS NULL DESC, checked_in_at DESC, id DESC
        LIMIT 1 FOR UPDATE;
        refusal := CASE WHEN b.id IS NULL THEN 'not_inside' END;
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::booking;
        RETURN;
    END IF;
    WHILE b.checked_out_at IS NULL LOOP
        SELECT * INTO later FROM booking
        WHERE plate = the_plate AND place_id = the_place AND status = 'Confirmed'
            AND at > b.date_to AND date_to > b.date_to AND date_from < at
        ORDER BY date_from, id
        LIMIT 1 FOR UPDATE;
        left_at := CASE WHEN later.id IS NULL THEN at ELSE greatest(b.date_to, later.date_from) END;
        UPDATE booking SET checked_out_at = left_at WHERE id = b.id RETURNING * INTO b;
        b := owe_overstay(b);
        IF later.id IS NOT NULL THEN
            UPDATE booking SET checked_in_at = coalesce(checked_in_at, left_at), checked_out_at = NULL
            WHERE id = later.id
            RETURNING * INTO b;
        END IF;
    END LOOP;
    RETURN QUERY SELECT 'checked_out', b;
END
$$;

-- Charges what is owed of an overstay, up to what the driver can pay, which is a cent or more. There is no charge when
-- nothing is owed, or another request is taking it.
CREATE OR REPLACE FUNCTION charge_overstay(the_booking bigint, at_most bigint)
RETURNS TABLE (outcome text, subject booking, payment uuid, due bigint, payee uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    b booking;
    c charge;
BEGIN
    SELECT * INTO b FROM booking WHERE id = the_booking FOR UPDATE;
    IF b.overstay_paid < b.overstay_cost AND NOT EXISTS (SELECT FROM charge WHERE booking_id = b.id AND status = 'opening')
    THEN
        INSERT INTO charge (booking_id, amount, date_to, is_overstay)
        VALUES (b.id, least(b.overstay_cost - b.overstay_paid, at_most), b.date_to, true)
        RETURNING * INTO c;
    END IF;
    RETURN QUERY SELECT 'settled', b, c.id, c.amount, (SELECT owner FROM place WHERE id = b.place_id);
END
$$;

-- The owner of the place forgives an overstay. What was paid of it is owed back.
CREATE OR REPLACE FUNCTION waive_overstay(the_booking bigint, the_caller uuid, is_admin boolean)
RETURNS TABLE (outcome text, subject booking, refunds jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    b booking;
    p place;
    told booking;
    refusal text;
BEGIN
    IF NOT is_admitted(the_booking, 'booking') THEN
        RETURN QUERY SELECT 'crowded', NULL::booking, NULL::jsonb;
        RETURN;
    END IF;
    SELECT * INTO b FROM booking WHERE id = the_booking AND deleted_at IS NULL FOR UPDATE;
    SELECT * INTO p FROM place WHERE id = b.place_id;
    refusal := CASE
        WHEN b.id IS NULL THEN 'unknown_booking'
        WHEN NOT is_admin AND p.owner <> the_caller THEN 'forbidden'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::booking, NULL::jsonb;
        RETURN;
    END IF;
    IF b.overstay_cost > 0 THEN
        told := b;
        told.full_cost := b.overstay_paid;
        INSERT INTO refund (booking_id, charge_id, amount)
        SELECT b.id, id, rest
        FROM (
            SELECT id, amount - coalesce((SELECT sum(refund.amount) FROM refund WHERE charge_id = charge.id), 0) AS rest
            FROM charge
            WHERE booking_id = b.id AND is_overstay AND status = 'paid'
        ) AS paid
        WHERE rest > 0;
        -- A charge that is on its way finds that nothing is owed, and is owed back then.
        UPDATE booking SET overstay_cost = 0, overstay_paid = 0 WHERE id = b.id RETURNING * INTO b;
        PERFORM tell(told, p, 'overstay_waived', ARRAY['driver']);
    END IF;
    RETURN QUERY SELECT 'waived', b, owed(b.id);
END
$$;

-- The car of a booking. The gate knows no other one.
CREATE OR REPLACE FUNCTION set_plate(
    the_booking bigint, the_caller uuid, is_admin boolean, the_plate text, written text
) RETURNS TABLE (outcome text, subject booking)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    b booking;
    refusal text;
BEGIN
    IF NOT is_admitted(the_booking, 'booking') THEN
        RETURN QUERY SELECT 'crowded', NULL::booking;
        RETURN;
    END IF;
    SELECT * INTO b FROM booking WHERE id = the_booking AND deleted_at IS NULL FOR UPDATE;
    refusal := CASE
        WHEN b.id IS NULL THEN 'unknown_booking'
        WHEN NOT is_admin AND the_caller <> b.driver THEN 'forbidden'
        WHEN b.status <> 'Confirmed' THEN 'not_confirmed'
        WHEN b.date_to <= clock_timestamp() THEN 'over'
        WHEN b.plate <> the_plate AND b.checked_in_at IS NOT NULL AND b.checked_out_at IS NULL THEN 'inside'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::booking;
        RETURN;
    END IF;
    UPDATE booking SET plate = the_plate, shown_plate = written WHERE id = b.id RETURNING * INTO b;
    RETURN QUERY SELECT 'changed', b;
END
$$;
