-- A fine, a check and an appeal as statements read them, moments in milliseconds.

-- The amount of a fine by its schedule at a moment. A discount lasts up to the last instant of its days, a surcharge begins
-- after it; halves of a minor unit are rounded up. PL/pgSQL, like the next step, because a list asks for each of its
-- fines: plans of SQL functions that are not inlined are made anew in every statement.
CREATE OR REPLACE FUNCTION scheduled_amount(it fine, at timestamptz, waives boolean) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    age interval := least(at, it.frozen_since) - it.issued_at - it.frozen;
    discount int := 0;
    surcharge int := 0;
    step jsonb;
BEGIN
    FOR step IN SELECT * FROM jsonb_array_elements(it.schedule -> 'discounts') LOOP
        IF age <= make_interval(days => (step ->> 'days')::int) THEN
            discount := (step ->> 'percent')::int;
            EXIT;
        END IF;
    END LOOP;
    IF at <= it.discount_again_until THEN
        discount := greatest(discount, (it.schedule #>> '{discounts,0,percent}')::int);
    END IF;
    FOR step IN SELECT * FROM jsonb_array_elements(it.schedule -> 'surcharges') LOOP
        EXIT WHEN age <= make_interval(days => (step ->> 'days')::int);
        surcharge := (step ->> 'percent')::int;
    END LOOP;
    IF discount = 0 AND surcharge > 0 THEN
        RETURN (it.amount * (100 + surcharge) + 50) / 100;
    END IF;
    IF waives THEN
        discount := greatest(discount, (it.schedule ->> 'waiver_percent')::int);
    END IF;
    RETURN (it.amount * (100 - discount) + 50) / 100;
END
$$;

-- The amount of a fine that is due at a moment: the rest of its plan, or without a plan the rest by its schedule. It
-- depends on the moment alone, so a late sweep changes nothing.
CREATE OR REPLACE FUNCTION due_amount(it fine, at timestamptz, waives boolean DEFAULT false) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN it.status <> 'issued' THEN 0
        WHEN plan_runs(it, at) THEN it.plan_total - it.paid_amount
        ELSE greatest(0, scheduled_amount(it, at, waives) - coalesce(it.paid_amount, 0))
    END
$$;

-- When the amount that is due changes next, or until when the next part is to be paid; never while an appeal stops the clock.
CREATE OR REPLACE FUNCTION next_step(it fine, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF it.status <> 'issued' OR it.frozen_since IS NOT NULL THEN
        RETURN NULL;
    END IF;
    IF plan_runs(it, at) THEN
        RETURN it.plan_until;
    END IF;
    RETURN (
        SELECT min(moment)
        FROM (
            SELECT it.issued_at + it.frozen + make_interval(days => (step ->> 'days')::int)
            FROM jsonb_array_elements((it.schedule -> 'discounts') || (it.schedule -> 'surcharges')) AS step
            UNION ALL
            SELECT it.discount_again_until
        ) AS steps (moment)
        WHERE moment > at
    );
END
$$;

DROP FUNCTION IF EXISTS show_fine(fine);
CREATE FUNCTION show_fine(it fine)
RETURNS TABLE (
    id bigint, zone_id bigint, plate text, amount bigint, currency text, date bigint, paid boolean, status text,
    due bigint, due_until bigint, due_if_waived bigint, paid_amount bigint, code text, place text, latitude double precision,
    longitude double precision, note text, appeal text, reference text, plan jsonb
)
LANGUAGE sql STABLE AS $$
    -- A driver who has appealed cannot give the appeal up for a discount.
    SELECT it.id, it.zone_id, coalesce(it.shown, CASE WHEN it.id IS NOT NULL THEN '' END), it.amount, it.currency,
        millis(it.issued_at), it.status = 'paid', it.status,
        due_amount(it, now()), millis(next_step(it, now())),
        CASE WHEN it.status = 'issued' AND it.payments = 0 AND (it.schedule ->> 'waiver_percent')::int > 0
                AND NOT EXISTS (SELECT FROM appeal WHERE fine_id = it.id)
            THEN due_amount(it, now(), true) END,
        it.paid_amount, it.code, it.place, it.latitude, it.longitude, it.note,
        (SELECT appeal.status FROM appeal WHERE fine_id = it.id), it.reference,
        coalesce(CASE WHEN it.plan_parts IS NOT NULL THEN show_plan(it) END, 'null')
$$;

-- The booking that a check found.
CREATE OR REPLACE FUNCTION booking_of(it plate_check) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN it.booking_id IS NULL THEN 'null' ELSE jsonb_build_object(
    'booking_id', it.booking_id, 'place', it.booked_place, 'until', iso(it.booked_until), 'in_zone', it.booked_in_zone
) END;

DROP FUNCTION IF EXISTS show_check(plate_check);
CREATE FUNCTION show_check(it plate_check)
RETURNS TABLE (
    id bigint, zone_id bigint, plate text, checked_at bigint, result text, ticket_id bigint, valid_until bigint,
    grace_minutes int, booking jsonb
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.zone_id, it.plate, millis(it.checked_at), it.result, it.ticket_id, millis(it.valid_until),
        it.grace_minutes, booking_of(it)
$$;

CREATE OR REPLACE FUNCTION show_appeal(it appeal)
RETURNS TABLE (
    id bigint, status text, opened_at bigint, decided_at bigint, reason text
)
LANGUAGE sql STABLE AS $$
    SELECT it.fine_id, it.status, millis(it.opened_at), millis(it.decided_at), it.reason
$$;
