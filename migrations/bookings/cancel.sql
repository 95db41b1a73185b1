-- The part of its price that the owner keeps when the driver cancels a booking at a moment. While a cancellation is free, that is
-- nothing. Later it is the price of the time that was used, and no less than the percentage that the rules of the place named when
-- it was booked. The time between check-in and check-out is never free: otherwise a driver who stayed on after an earlier booking
-- would book that time, and cancel it once the car has left.
CREATE OR REPLACE FUNCTION kept_of(b booking, at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF b.refund_free_hours IS NULL OR b.full_cost = 0 THEN
        RETURN least(b.full_cost, coalesce(cost(b.hourly_rate, b.checked_in_at, b.checked_out_at), 0));
    END IF;
    IF is_free(b, at) THEN
        RETURN least(b.least_cost, b.full_cost);
    END IF;
    RETURN least(b.full_cost, greatest(
        b.least_cost,
        b.full_cost * b.refund_percent / 100,
        cost(b.hourly_rate, b.date_from, least(greatest(at, b.date_from), b.date_to))
    ));
END
$$;

-- Whether a booking is canceled for free at that moment.
CREATE OR REPLACE FUNCTION is_free(b booking, at timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN b.refund_free_hours IS NULL OR at <= b.date_from - b.refund_free_hours * interval '1 hour';

-- How a booking and a quote show it: nothing while a cancellation is free until the end.
CREATE OR REPLACE FUNCTION show_refund_policy(free_hours int, percent int) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN free_hours IS NULL THEN 'null'
    ELSE jsonb_build_object('free_hours', free_hours, 'least_percent', percent) END;

-- Cancels a booking, and hides it when it is deleted. What was paid is owed back, once, less what the owner keeps of
-- it when the driver cancels.
CREATE OR REPLACE FUNCTION cancel(the_booking bigint, the_caller uuid, is_admin boolean, hide boolean)
RETURNS TABLE (outcome text, subject booking, refunds jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    b booking;
    p place;
    kept bigint := 0;
    told booking;
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
    -- A booking that is over was earned by the owner, who may have spent it. The clock is read under the lock: by
    -- `now()` a statement that waited long would come late.
    IF b.status = 'Confirmed' AND b.date_to <= clock_timestamp() THEN
        RETURN QUERY SELECT 'over', NULL::booking, NULL::jsonb;
        RETURN;
    END IF;
    -- Otherwise its driver would stay on for nothing. They leave earlier by moving the end.
    IF b.status = 'Confirmed' AND the_caller = b.driver AND NOT is_admin
        AND b.checked_in_at IS NOT NULL AND b.checked_out_at IS NULL
    THEN
        RETURN QUERY SELECT 'inside', NULL::booking, NULL::jsonb;
        RETURN;
    END IF;
    IF b.status = 'Confirmed' THEN
        IF the_caller = b.driver AND NOT is_admin THEN
            kept := kept_of(b, clock_timestamp());
        END IF;
        PERFORM owe(b.id, b.full_cost - kept) WHERE b.full_cost > kept;
        -- The notice says what comes back.
        told := b;
        told.full_cost := b.full_cost - kept;
        PERFORM tell(told, p, 'canceled');
    END IF;
    -- A charge that is still on its way finds the booking canceled and is owed back then.
    UPDATE booking SET
        status = 'Canceled',
        kept_cost = greatest(kept_cost, kept),
        held_to = b.date_to,
        held_from = NULL,
        deleted_at = CASE WHEN hide THEN now() END
    WHERE id = b.id
    RETURNING * INTO b;
    RETURN QUERY SELECT 'canceled', b, owed(b.id);
END
$$;

-- Calls `cancel()` for requests that come again when they are not admitted.
CREATE OR REPLACE FUNCTION cancel_in_turn(the_booking bigint, the_caller uuid, is_admin boolean, hide boolean)
RETURNS TABLE (outcome text, subject booking, refunds jsonb)
LANGUAGE plpgsql AS $$
BEGIN
    IF is_admitted(the_booking, 'booking') THEN
        RETURN QUERY SELECT * FROM cancel(the_booking, the_caller, is_admin, hide);
    ELSE
        RETURN QUERY SELECT 'crowded', NULL::booking, NULL::jsonb;
    END IF;
END
$$;
