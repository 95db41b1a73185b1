-- The case file of a fine, and how a case is anonymized.

-- A moment as RFC 3339.
CREATE OR REPLACE FUNCTION iso(at timestamptz) RETURNS text
LANGUAGE sql STABLE
RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');

-- Everything that a driver, an officer or an appeal body needs to examine a fine.
CREATE OR REPLACE FUNCTION case_file(it fine) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_build_object(
        'fine', jsonb_build_object(
            'id', it.id, 'plate', it.shown, 'zone', (SELECT name FROM zone WHERE id = it.zone_id), 'zone_id', it.zone_id,
            'code', it.code, 'amount_cents', it.amount, 'currency', it.currency, 'issued_at', iso(it.issued_at),
            'place', it.place, 'latitude', it.latitude, 'longitude', it.longitude, 'note', it.note, 'status', it.status,
            'override_reason', it.override_reason
        ),
        'check', (
            SELECT jsonb_build_object(
                'checked_at', iso(checked_at), 'result', result, 'ticket_id', ticket_id, 'valid_until', iso(valid_until),
                'grace_minutes', grace_minutes, 'booking', booking_of(plate_check)
            )
            FROM plate_check WHERE id = it.check_id
        ),
        'photos', photos_of(it.id),
        'rule', jsonb_build_object('schedule', it.schedule, 'amount_cents', it.amount),
        'rule_inputs', jsonb_build_object(
            'issued_at', iso(it.issued_at), 'stopped_seconds', extract(epoch FROM it.frozen)::bigint,
            'stopped_since', iso(it.frozen_since), 'discount_again_until', iso(it.discount_again_until), 'at', iso(now()),
            'paid_cents', coalesce(it.paid_amount, 0), 'due_cents', due_amount(it, now())
        ),
        'deadlines', jsonb_build_object(
            'amount_changes_at', iso(next_step(it, now())),
            'appeal_until', iso(it.issued_at + make_interval(days => (it.schedule ->> 'appeal_days')::int))
        ),
        'plan', show_plan(it),
        'payments', coalesce((
            SELECT jsonb_agg(jsonb_build_object(
                'id', charge.id, 'part', CASE WHEN parts IS NOT NULL THEN nth END, 'parts', parts, 'amount_cents', charge.amount, 'method', method, 'waives_appeal', waives,
                'began_at', iso(charge.created_at),
                'refunded_cents', (SELECT coalesce(sum(amount), 0) FROM refund WHERE charge_id = charge.id)
            ) ORDER BY charge.created_at)
            FROM charge WHERE subject = 'fine' AND subject_id = it.id AND status = 'paid'
        ), '[]'),
        'appeal', (
            SELECT jsonb_build_object(
                'status', status, 'opened_at', iso(opened_at), 'decided_at', iso(decided_at), 'reason', reason,
                'messages', (
                    SELECT coalesce(jsonb_agg(jsonb_build_object(
                        'at', iso(written_at), 'by_staff', is_staff, 'text', text
                    ) ORDER BY id), '[]')
                    FROM appeal_message WHERE appeal_message.fine_id = it.id
                )
            )
            FROM appeal WHERE appeal.fine_id = it.id
        ),
        'history', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'at', iso(happened_at), 'kind', kind, 'actor', actor, 'data', data
            ) ORDER BY id), '[]')
            FROM fine_event WHERE fine_event.fine_id = it.id
        )
    );
END
$$;

-- Anonymizes cases that were closed so many days ago, and deletes checks of that age without a fine, `at_most` of each.
-- Answers how many cases. Statistics need the rest.
CREATE OR REPLACE FUNCTION anonymize(days int, at_most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    f fine;
    forgotten bigint := 0;
BEGIN
    FOR f IN
        SELECT * FROM fine
        WHERE anonymized_at IS NULL AND (hidden_at IS NOT NULL OR status <> 'issued')
            AND coalesce(hidden_at, paid_at, issued_at) < now() - make_interval(days => days)
            AND NOT EXISTS (
                SELECT FROM appeal
                WHERE fine_id = fine.id AND (status = 'open' OR decided_at > now() - make_interval(days => days))
            )
            AND NOT EXISTS (
                SELECT FROM charge LEFT JOIN refund ON charge_id = charge.id
                WHERE subject = 'fine' AND subject_id = fine.id AND (charge.status = 'opening' OR refund.status = 'owed')
            )
        ORDER BY coalesce(hidden_at, paid_at, issued_at)
        LIMIT at_most
        FOR NO KEY UPDATE SKIP LOCKED
    LOOP
        PERFORM touch_fine(f.id);
        DELETE FROM feed WHERE fine_id = f.id;
        UPDATE appeal_message SET text = '' WHERE fine_id = f.id;
        UPDATE photo SET dropped_at = now() WHERE fine_id = f.id;
        UPDATE plate_check SET
            plate = '', booking_id = NULL, booked_place = NULL, booked_until = NULL, booked_in_zone = false
        WHERE id = f.check_id;
        UPDATE fine SET
            plate = NULL, shown = NULL, place = NULL, latitude = NULL, longitude = NULL, note = NULL, override_reason = NULL,
            reference = 'anonymized-' || id, anonymized_at = now()
        WHERE id = f.id;
        PERFORM note_event(f.id, NULL, 'anonymized');
        forgotten := forgotten + 1;
    END LOOP;
    DELETE FROM plate_check
    WHERE id IN (
        SELECT id FROM plate_check
        WHERE NOT is_fined AND checked_at < now() - make_interval(days => days)
            -- A copy of the release before may have issued a fine without marking its check.
            AND NOT EXISTS (SELECT FROM fine WHERE check_id = plate_check.id)
        ORDER BY checked_at
        LIMIT at_most
    );
    RETURN forgotten;
END
$$;
