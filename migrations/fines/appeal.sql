-- Appeals: open → accepted, rejected or withdrawn. Each change is a line in the fine's history.

-- Opens the appeal of the fine's driver, and stops the clock. A paid fine can be appealed unless its driver gave up the
-- appeal.
CREATE OR REPLACE FUNCTION open_appeal(the_fine bigint, the_caller uuid, why text)
RETURNS TABLE (outcome text, subject appeal)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    f fine;
    a appeal;
    refusal text;
    at timestamptz;
BEGIN
    SELECT * INTO f FROM fine WHERE id = the_fine AND hidden_at IS NULL FOR NO KEY UPDATE;
    at := clock_timestamp();
    refusal := CASE
        WHEN f.id IS NULL THEN 'unknown_fine'
        WHEN NOT EXISTS (SELECT FROM feed WHERE fine_id = the_fine AND user_id = the_caller) THEN 'forbidden'
        WHEN f.status = 'cancelled' THEN 'fine_cancelled'
        WHEN f.waived THEN 'appeal_waived'
        WHEN EXISTS (SELECT FROM appeal WHERE fine_id = the_fine) THEN 'appealed_already'
        WHEN at > f.issued_at + make_interval(days => (f.schedule ->> 'appeal_days')::int) THEN 'appeal_too_late'
        WHEN EXISTS (
            SELECT FROM charge
            WHERE charge.subject = 'fine' AND subject_id = the_fine AND charge.status = 'opening' AND waives
                AND (method = 'wallet' OR expires_at > at)
        ) THEN 'busy'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::appeal;
        RETURN;
    END IF;
    INSERT INTO appeal (fine_id, opened_by) VALUES (the_fine, the_caller) RETURNING * INTO a;
    INSERT INTO appeal_message (fine_id, author, is_staff, text) VALUES (the_fine, the_caller, false, why);
    UPDATE fine SET frozen_since = CASE WHEN status = 'issued' THEN at END, next_step_at = NULL WHERE id = the_fine;
    PERFORM note_event(the_fine, the_caller, 'appealed');
    PERFORM touch_fine(the_fine);
    RETURN QUERY SELECT 'created', a;
END
$$;

-- Adds a message of the driver or of the zone's staff.
CREATE OR REPLACE FUNCTION add_message(the_fine bigint, the_caller uuid, is_admin boolean, said text)
RETURNS TABLE (outcome text, subject appeal)
LANGUAGE plpgsql AS $$
DECLARE
    f fine;
    a appeal;
    refusal text;
    of_driver boolean;
BEGIN
    SELECT * INTO f FROM fine WHERE id = the_fine AND hidden_at IS NULL FOR NO KEY UPDATE;
    SELECT * INTO a FROM appeal WHERE fine_id = the_fine;
    of_driver := EXISTS (SELECT FROM feed WHERE fine_id = the_fine AND user_id = the_caller);
    refusal := CASE
        WHEN f.id IS NULL OR a.fine_id IS NULL THEN 'unknown_appeal'
        WHEN NOT (of_driver OR is_admin OR works_in_zone(f.zone_id, the_caller)) THEN 'unknown_appeal'
        WHEN a.status <> 'open' THEN 'appeal_over'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::appeal;
        RETURN;
    END IF;
    INSERT INTO appeal_message (fine_id, author, is_staff, text) VALUES (the_fine, the_caller, NOT of_driver, said);
    PERFORM note_event(the_fine, the_caller, 'message');
    PERFORM touch_fine(the_fine);
    RETURN QUERY SELECT 'changed', a;
END
$$;

-- Ends an appeal. Accepted: the fine is cancelled, and its payments are owed back. Rejected: the clock goes on, and the
-- first discount is offered once more. The issuer does not decide; the driver can only withdraw.
CREATE OR REPLACE FUNCTION end_appeal(the_fine bigint, the_caller uuid, is_admin boolean, verdict text, why text)
RETURNS TABLE (outcome text, subject appeal)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    f fine;
    a appeal;
    refusal text;
    at timestamptz;
    of_driver boolean;
    decides boolean;
BEGIN
    SELECT * INTO f FROM fine WHERE id = the_fine AND hidden_at IS NULL FOR NO KEY UPDATE;
    SELECT * INTO a FROM appeal WHERE fine_id = the_fine;
    at := clock_timestamp();
    of_driver := EXISTS (SELECT FROM feed WHERE fine_id = the_fine AND user_id = the_caller);
    decides := is_admin OR runs_zone(f.zone_id, the_caller);
    refusal := CASE
        WHEN f.id IS NULL OR a.fine_id IS NULL THEN 'unknown_appeal'
        WHEN NOT (of_driver OR decides OR works_in_zone(f.zone_id, the_caller)) THEN 'unknown_appeal'
        WHEN verdict = 'withdrawn' AND NOT of_driver THEN 'forbidden'
        WHEN verdict <> 'withdrawn' AND (NOT decides OR of_driver) THEN 'forbidden'
        WHEN verdict <> 'withdrawn' AND f.issuer = the_caller THEN 'own_decision'
        WHEN a.status <> 'open' THEN 'appeal_over'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::appeal;
        RETURN;
    END IF;
    UPDATE appeal SET status = verdict, decided_by = the_caller, decided_at = at, reason = why
    WHERE fine_id = the_fine
    RETURNING * INTO a;
    PERFORM note_event(the_fine, the_caller, verdict, jsonb_build_object('reason', why));
    UPDATE fine SET
        frozen = frozen + coalesce(at - frozen_since, '0'),
        plan_until = plan_until + coalesce(at - frozen_since, '0'),
        frozen_since = NULL,
        status = CASE WHEN verdict = 'accepted' THEN 'cancelled' ELSE status END,
        discount_again_until = CASE
            WHEN verdict = 'rejected' AND status = 'issued'
                THEN at + make_interval(days => (schedule #>> '{discounts,0,days}')::int)
        END
    WHERE id = the_fine
    RETURNING * INTO f;
    UPDATE fine SET
        next_step_at = next_step(fine, at), noted_due = due_amount(fine, at)
    WHERE id = the_fine;
    IF verdict = 'accepted' THEN
        INSERT INTO refund (charge_id, amount, due_at)
        SELECT id, amount, now() FROM charge
        WHERE charge.subject = 'fine' AND subject_id = the_fine AND charge.status = 'paid'
            AND NOT EXISTS (SELECT FROM refund WHERE charge_id = charge.id);
        UPDATE charge SET due_at = now()
        WHERE charge.subject = 'fine' AND subject_id = the_fine AND charge.status = 'opening';
    END IF;
    PERFORM touch_fine(the_fine);
    PERFORM tell_driver(f, 'appeal_' || verdict, CASE verdict WHEN 'accepted' THEN coalesce(f.paid_amount, 0) ELSE due_amount(f, at) END)
    WHERE verdict <> 'withdrawn';
    RETURN QUERY SELECT 'changed', a;
END
$$;
