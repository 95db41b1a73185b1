-- Plate checks and fines: the right to issue them, and their payment.

-- A line in the history of a fine.
CREATE OR REPLACE FUNCTION note_event(the_fine bigint, the_actor uuid, the_kind text, the_data jsonb DEFAULT '{}')
RETURNS void
LANGUAGE sql AS $$
    INSERT INTO fine_event (fine_id, actor, kind, data) VALUES (the_fine, the_actor, the_kind, the_data)
$$;

-- Bumps the version of the feed of the fine's driver, so that a poll sees the change.
CREATE OR REPLACE FUNCTION touch_fine(the_fine bigint) RETURNS void
LANGUAGE sql AS $$
    UPDATE driver SET version = version + 1
    WHERE user_id = (SELECT user_id FROM feed WHERE fine_id = the_fine)
$$;

-- Gives the fines of a plate that have no driver to this one. The caller holds a lock on the car.
CREATE OR REPLACE FUNCTION claim_fines(the_plate text, the_owner uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    d driver;
    added bigint;
BEGIN
    INSERT INTO driver (user_id) VALUES (the_owner) ON CONFLICT DO NOTHING;
    SELECT * INTO d FROM driver WHERE user_id = the_owner FOR UPDATE;
    INSERT INTO feed (user_id, seq, fine_id)
    SELECT the_owner, d.seq + row_number() OVER (ORDER BY id), id
    FROM fine
    WHERE plate = the_plate AND hidden_at IS NULL AND NOT EXISTS (SELECT FROM feed WHERE fine_id = fine.id);
    GET DIAGNOSTICS added = ROW_COUNT;
    UPDATE driver SET seq = seq + added, version = version + 1 WHERE user_id = the_owner AND added > 0;
END
$$;

-- Writes a notice to the driver of a fine.
CREATE OR REPLACE FUNCTION tell_driver(the_fine fine, the_template text, cents bigint) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'fine:' || the_fine.id, jsonb_build_object(
        'user_id', feed.user_id,
        'template', the_template,
        'params', jsonb_build_object(
            'fine_id', the_fine.id, 'plate', the_fine.shown, 'zone', zone.name, 'amount_cents', cents,
            'currency', the_fine.currency
        )
    )
    FROM feed, zone
    WHERE feed.fine_id = the_fine.id AND zone.id = the_fine.zone_id
$$;

-- The ticket that covers a car in a zone at this moment, or did until lately.
CREATE OR REPLACE FUNCTION ticket_state(
    the_zone bigint, the_plate text, grace int, OUT result text, OUT ticket_id bigint, OUT valid_until timestamptz
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT found.ticket_id, found.end_at INTO ticket_id, valid_until
    FROM ticket_car AS found
    WHERE plate = the_plate AND end_at > now() - greatest(make_interval(mins => grace), interval '30 minutes')
        AND removed_at IS NULL AND zone_id = the_zone AND paid_at IS NOT NULL AND start_at <= now()
    ORDER BY end_at DESC
    LIMIT 1;
    result := cover_state(valid_until, grace);
END
$$;

-- The state of a car whose cover ends or ended at that moment.
CREATE OR REPLACE FUNCTION cover_state(until timestamptz, grace int) RETURNS text
LANGUAGE sql STABLE
RETURN CASE
    WHEN until > now() THEN 'valid'
    WHEN until > now() - make_interval(mins => grace) THEN 'grace'
    WHEN until > now() - interval '30 minutes' THEN 'expired'
    ELSE 'none'
END;

-- Checks a car and records the result. `booked` is the booking of the car to show here, {} when it has none; null when
-- bookings was not asked, which suffices only for a car with a valid ticket.
CREATE OR REPLACE FUNCTION check_plate(
    the_zone bigint, the_caller uuid, is_admin boolean, the_plate text, booked jsonb
) RETURNS TABLE (outcome text, subject plate_check)
LANGUAGE plpgsql AS $$
DECLARE
    z zone;
    made plate_check;
BEGIN
    SELECT * INTO z FROM zone WHERE id = the_zone AND removed_at IS NULL;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_zone', NULL::plate_check;
        RETURN;
    END IF;
    IF NOT (is_admin OR works_in_zone(the_zone, the_caller)) THEN
        RETURN QUERY SELECT 'forbidden', NULL::plate_check;
        RETURN;
    END IF;
    made := record_check(z, the_caller, the_plate, booked);
    RETURN QUERY SELECT CASE WHEN made.id IS NULL THEN 'uncovered' ELSE 'shown' END, made;
END
$$;

-- As copies of the release before call it.
CREATE OR REPLACE FUNCTION check_plate(the_zone bigint, the_caller uuid, is_admin boolean, the_plate text)
RETURNS TABLE (outcome text, subject plate_check)
LANGUAGE sql AS $$
    SELECT * FROM check_plate(the_zone, the_caller, is_admin, the_plate, '{}')
$$;

-- The result is about the ticket or the booking in the zone that ends later. Nothing is recorded when no ticket is valid
-- and bookings was not asked.
DROP FUNCTION IF EXISTS record_check(zone, uuid, text);
CREATE OR REPLACE FUNCTION record_check(z zone, the_caller uuid, the_plate text, booked jsonb) RETURNS plate_check
LANGUAGE plpgsql AS $$
DECLARE
    grace int := (z.rules #>> '{control,grace_minutes}')::int;
    in_zone boolean := coalesce((booked ->> 'in_zone')::boolean, false);
    booking_ends timestamptz := (booked ->> 'until')::timestamptz;
    bought record;
    ends timestamptz;
    made plate_check;
BEGIN
    SELECT * INTO bought FROM ticket_state(z.id, the_plate, grace);
    IF booked IS NULL AND bought.result <> 'valid' THEN
        RETURN NULL;
    END IF;
    ends := greatest(bought.valid_until, CASE WHEN in_zone THEN booking_ends END);
    INSERT INTO plate_check (
        zone_id, plate, controller, result, ticket_id, valid_until, grace_minutes, booking_id, booked_place, booked_until,
        booked_in_zone
    )
    VALUES (
        z.id, the_plate, the_caller, cover_state(ends, grace),
        CASE WHEN ends = bought.valid_until THEN bought.ticket_id END,
        CASE WHEN cover_state(ends, grace) <> 'none' THEN ends END,
        grace, (booked ->> 'booking_id')::bigint, booked ->> 'place', booking_ends, in_zone
    )
    RETURNING * INTO made;
    RETURN made;
END
$$;

-- Issues a fine. Concurrent fines of a plate queue at its car, so the same violation is fined once. A covered car is not
-- fined, unless an admin of the zone gives a reason.
DROP FUNCTION IF EXISTS issue_fine(
    uuid, text, bigint, uuid, boolean, text, text, bigint, text, text, double precision, double precision, text, text
);
CREATE OR REPLACE FUNCTION issue_fine(
    the_request uuid, the_reference text, the_zone bigint, the_caller uuid, is_admin boolean, the_plate text,
    written text, the_amount bigint, the_code text, the_place text, the_latitude double precision,
    the_longitude double precision, the_note text, reason text, booked jsonb DEFAULT '{}'
) RETURNS TABLE (outcome text, subject fine)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    z zone;
    c car;
    f fine;
    d driver;
    v violation;
    seen plate_check;
    refusal text;
BEGIN
    SELECT * INTO f FROM fine WHERE request = the_request;
    IF FOUND THEN
        RETURN QUERY SELECT 'created', f;
        RETURN;
    END IF;
    SELECT * INTO z FROM zone WHERE id = the_zone AND removed_at IS NULL;
    SELECT * INTO v FROM violation WHERE code = the_code AND removed_at IS NULL;
    refusal := CASE
        WHEN z.id IS NULL THEN 'unknown_zone'
        WHEN NOT (is_admin OR works_in_zone(the_zone, the_caller)) THEN 'forbidden'
        WHEN the_code IS NOT NULL AND v.code IS NULL THEN 'unknown_code'
        WHEN v.currency <> z.currency THEN 'other_currency'
        WHEN the_amount <> v.amount THEN 'other_amount'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::fine;
        RETURN;
    END IF;
    INSERT INTO car (plate, shown, listed) VALUES (the_plate, written, false) ON CONFLICT DO NOTHING;
    SELECT * INTO c FROM car WHERE plate = the_plate FOR UPDATE;
    SELECT * INTO f FROM fine WHERE request = the_request;
    IF FOUND THEN
        RETURN QUERY SELECT 'created', f;
        RETURN;
    END IF;
    seen := record_check(z, the_caller, the_plate, booked);
    refusal := CASE
        WHEN EXISTS (
            SELECT FROM fine
            WHERE plate = the_plate AND zone_id = the_zone AND code IS NOT DISTINCT FROM v.code AND hidden_at IS NULL
                AND status <> 'cancelled'
                AND issued_at > now() - make_interval(mins => (z.rules #>> '{control,duplicate_minutes}')::int)
        ) THEN 'already_fined'
        WHEN seen.result IN ('valid', 'grace') AND reason IS NULL THEN 'covered'
        WHEN seen.result IN ('valid', 'grace') AND NOT (is_admin OR runs_zone(the_zone, the_caller)) THEN 'forbidden'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::fine;
        RETURN;
    END IF;
    INSERT INTO fine (
        request, reference, zone_id, plate, shown, amount, currency, issuer, code, place, latitude, longitude, note, check_id,
        override_reason, schedule, noted_due
    )
    VALUES (
        the_request, the_reference, the_zone, the_plate, c.shown, coalesce(the_amount, v.amount), z.currency, the_caller, v.code,
        the_place, the_latitude, the_longitude, the_note, seen.id,
        CASE WHEN seen.result IN ('valid', 'grace') THEN reason END, z.rules -> 'fines', 0
    )
    RETURNING * INTO f;
    UPDATE plate_check SET is_fined = true WHERE id = seen.id;
    UPDATE fine SET next_step_at = next_step(fine, now()), noted_due = due_amount(fine, now())
    WHERE id = f.id
    RETURNING * INTO f;
    PERFORM note_event(f.id, the_caller, 'issued', jsonb_build_object('amount', f.amount, 'check', seen.id));
    IF c.owner IS NOT NULL THEN
        INSERT INTO driver (user_id) VALUES (c.owner) ON CONFLICT DO NOTHING;
        UPDATE driver SET seq = seq + 1, version = version + 1 WHERE user_id = c.owner RETURNING * INTO d;
        INSERT INTO feed (user_id, seq, fine_id) VALUES (c.owner, d.seq, f.id);
        PERFORM tell_driver(f, 'fine_issued', f.noted_due);
    END IF;
    RETURN QUERY SELECT 'created', f;
END
$$;

-- Hides a fine. The row stays, with the user who hid it.
CREATE OR REPLACE FUNCTION hide_fine(the_fine bigint, the_caller uuid, is_admin boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    f fine;
BEGIN
    SELECT * INTO f FROM fine WHERE id = the_fine AND hidden_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_fine';
    END IF;
    IF NOT (is_admin OR works_in_zone(f.zone_id, the_caller)) THEN
        RETURN 'forbidden';
    END IF;
    -- The appeal of a hidden fine could not be decided, and its driver would not get the money back.
    IF f.payments > 0 AND EXISTS (SELECT FROM appeal WHERE fine_id = the_fine AND status = 'open') THEN
        RETURN 'appeal_open';
    END IF;
    UPDATE fine SET hidden_at = now(), hidden_by = the_caller, next_step_at = NULL WHERE id = the_fine;
    PERFORM note_event(the_fine, the_caller, 'hidden');
    PERFORM touch_fine(the_fine);
    UPDATE charge SET due_at = now() WHERE subject = 'fine' AND subject_id = the_fine AND status = 'opening';
    RETURN 'removed';
END
$$;

CREATE OR REPLACE FUNCTION fine_is_payable(the_fine bigint) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM fine WHERE id = the_fine AND status = 'issued' AND hidden_at IS NULL);

-- Whether a fine still waits for this payment: the payments of a fine are made one after another.
CREATE OR REPLACE FUNCTION fine_awaits(c charge) RETURNS boolean
LANGUAGE sql STABLE
RETURN fine_is_payable(c.subject_id) AND EXISTS (SELECT FROM fine WHERE id = c.subject_id AND payments + 1 = c.nth);

-- Begins to pay a fine, by its number or by its reference: a part of it, the first one of so many, or all that is left.
-- The amount is that of this moment.
DROP FUNCTION IF EXISTS open_fine_charge(bigint, text, uuid, text, boolean);
CREATE OR REPLACE FUNCTION open_fine_charge(
    the_fine bigint, the_reference text, the_payer uuid, by_method text, gives_up boolean, the_part int DEFAULT NULL,
    the_parts int DEFAULT NULL
) RETURNS TABLE (outcome text, subject fine, due charge)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    f fine;
    z zone;
    c charge;
    refusal text;
    at timestamptz;
    cents bigint;
    total bigint;
    of_driver boolean;
BEGIN
    SELECT * INTO f FROM fine
    WHERE (id = the_fine OR reference = the_reference) AND hidden_at IS NULL
    FOR NO KEY UPDATE;
    at := clock_timestamp();
    of_driver := EXISTS (SELECT FROM feed WHERE fine_id = f.id AND user_id = the_payer);
    refusal := CASE
        WHEN f.id IS NULL THEN 'unknown_fine'
        WHEN f.status = 'paid' THEN 'already_paid'
        WHEN f.status = 'cancelled' THEN 'fine_cancelled'
        WHEN gives_up AND ((f.schedule ->> 'waiver_percent')::int = 0 OR f.payments > 0) THEN 'no_waiver'
        WHEN gives_up AND EXISTS (SELECT FROM appeal WHERE fine_id = f.id) THEN 'appealed_already'
        -- Only the driver can give up the appeal, or the discounts for a plan. For a plan the reference on the driver's paper
        -- is enough.
        WHEN gives_up AND NOT of_driver THEN 'forbidden'
        WHEN the_parts IS NOT NULL AND the_reference IS NULL AND NOT of_driver THEN 'forbidden'
        WHEN the_parts IS NOT NULL AND f.plan_parts IS NOT NULL THEN 'plan_chosen'
        WHEN the_parts IS NOT NULL AND NOT offers_plan(f, the_parts, at) THEN 'no_plan'
        WHEN the_part NOT BETWEEN 1 AND coalesce(the_parts, f.plan_parts, 0) THEN 'unknown_part'
        WHEN the_part <= f.payments THEN 'already_paid'
        WHEN the_part IS NOT NULL AND the_parts IS NULL AND NOT plan_runs(f, at) THEN 'plan_over'
        WHEN the_part > f.payments + 1 THEN 'part_early'
    END;
    IF refusal IS NULL THEN
        IF the_part IS NOT NULL THEN
            the_parts := coalesce(the_parts, f.plan_parts);
            total := coalesce(f.plan_total, offered_total(f, at));
            cents := part_amount(total, the_parts, the_part);
        ELSE
            cents := due_amount(f, at, gives_up);
        END IF;
    END IF;
    IF cents > 0 THEN
        SELECT * INTO z FROM zone WHERE id = f.zone_id;
        c := open_charge(
            'fine', f.id, by_method, the_payer, z.payee, cents, f.currency, gives_up,
            least(at + interval '30 minutes', next_step(f, at)),
            -- An hour more, in which an appeal of the last moment extends the hold. The sweep extends it while the appeal is open.
            CASE WHEN NOT gives_up THEN greatest(
                f.issued_at + f.frozen + make_interval(days => (f.schedule ->> 'appeal_days')::int, hours => 1),
                (SELECT at + interval '7 days' FROM appeal WHERE fine_id = f.id AND appeal.status = 'open')
            ) END,
            f.payments + 1, the_parts, total
        );
        IF c.id IS NULL THEN
            refusal := 'busy';
        END IF;
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::fine, NULL::charge;
        RETURN;
    END IF;
    IF c.id IS NULL THEN
        -- A discount of everything.
        UPDATE fine SET
            status = 'paid', paid_at = at, paid_amount = coalesce(paid_amount, 0), next_step_at = NULL, waived = gives_up
        WHERE id = f.id
        RETURNING * INTO f;
        PERFORM note_event(f.id, the_payer, 'paid', jsonb_build_object('amount', 0));
        PERFORM touch_fine(f.id);
        RETURN QUERY SELECT 'settled', f, NULL::charge;
        RETURN;
    END IF;
    RETURN QUERY SELECT 'to_pay', f, c;
END
$$;

-- The money of a charge has moved, of a part or of all that was left. The caller holds a lock on the fine.
CREATE OR REPLACE FUNCTION fine_paid(c charge) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    f fine;
    is_last boolean := c.parts IS NULL OR c.nth = c.parts;
    told jsonb := jsonb_build_object('amount', c.amount, 'charge', c.id, 'method', c.method, 'waives', c.waives);
BEGIN
    -- Deadlines count from the start of the payment, also when it became known late.
    UPDATE fine SET
        status = CASE WHEN is_last THEN 'paid' ELSE status END,
        paid_at = CASE WHEN is_last THEN now() END,
        paid_charge = CASE WHEN is_last THEN c.id END,
        paid_amount = coalesce(paid_amount, 0) + c.amount,
        payments = c.nth,
        waived = c.waives,
        warned_at = NULL,
        plan_parts = coalesce(plan_parts, c.parts),
        plan_total = coalesce(plan_total, c.plan_total),
        plan_until = CASE
            WHEN coalesce(plan_parts, c.parts) IS NOT NULL
                THEN coalesce(plan_until, c.created_at) + make_interval(days => plan_days(fine))
        END
    WHERE id = c.subject_id
    RETURNING * INTO f;
    UPDATE fine SET next_step_at = next_step(f, now()), noted_due = due_amount(f, now()) WHERE id = f.id RETURNING * INTO f;
    IF c.parts IS NOT NULL THEN
        told := told || jsonb_build_object('part', c.nth, 'parts', c.parts);
    END IF;
    IF c.parts IS NOT NULL AND c.nth = 1 THEN
        PERFORM note_event(f.id, c.payer, 'planned', jsonb_build_object('parts', c.parts, 'total', c.plan_total));
    END IF;
    PERFORM note_event(f.id, c.payer, CASE WHEN is_last THEN 'paid' ELSE 'part_paid' END, told);
    PERFORM touch_fine(f.id);
    PERFORM tell_driver(f, CASE WHEN is_last THEN 'fine_paid' ELSE 'fine_part_paid' END, c.amount);
END
$$;

-- A payment of a fine was taken back: the fine is due again by its schedule. That ends a plan, and restores an appeal that
-- was given up for a discount. The caller holds a lock on the fine.
CREATE OR REPLACE FUNCTION fine_returned(c charge) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    f fine;
BEGIN
    UPDATE fine SET
        status = 'issued',
        paid_at = NULL,
        paid_charge = NULL,
        paid_amount = nullif(paid_amount - c.amount, 0),
        payments = payments - 1,
        waived = false,
        warned_at = NULL,
        plan_until = CASE WHEN plan_until IS NOT NULL THEN least(plan_until, now()) END,
        frozen_since = coalesce(
            frozen_since, (SELECT now() FROM appeal WHERE appeal.fine_id = fine.id AND appeal.status = 'open')
        )
    WHERE id = c.subject_id AND status IN ('issued', 'paid') AND anonymized_at IS NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE fine SET next_step_at = next_step(fine, now()), noted_due = due_amount(fine, now()) WHERE id = c.subject_id
    RETURNING * INTO f;
    PERFORM note_event(f.id, NULL, 'returned', jsonb_build_object('amount', c.amount, 'charge', c.id, 'due', f.noted_due));
    PERFORM touch_fine(f.id);
    PERFORM tell_driver(f, 'fine_payment_returned', f.noted_due);
END
$$;

-- Records changed amounts of fines and late parts, `at_most` of them; answers how many. The amount is computed from the
-- moment, so one late sweep records what several earlier ones would have.
CREATE OR REPLACE FUNCTION step_fines(at_most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    f fine;
    stepped bigint := 0;
    is_due bigint;
BEGIN
    FOR f IN
        SELECT * FROM fine WHERE status = 'issued' AND next_step_at <= now()
        ORDER BY next_step_at LIMIT at_most
        FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        is_due := due_amount(f, now());
        UPDATE fine SET next_step_at = next_step(f, now()), noted_due = is_due WHERE id = f.id;
        IF f.plan_until = f.next_step_at THEN
            PERFORM note_event(f.id, NULL, 'plan_ended', jsonb_build_object('part', f.payments + 1, 'due', is_due));
            PERFORM touch_fine(f.id);
        ELSIF is_due <> f.noted_due THEN
            PERFORM note_event(f.id, NULL, 'stepped', jsonb_build_object('due', is_due, 'was', f.noted_due));
            PERFORM touch_fine(f.id);
        END IF;
        stepped := stepped + 1;
    END LOOP;
    RETURN stepped;
END
$$;

-- They decide nothing: functions that decide call them.
REVOKE EXECUTE ON FUNCTION fine_paid, fine_returned FROM PUBLIC, wharf_fines;
