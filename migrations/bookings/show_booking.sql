-- A booking as statements read it, moments in milliseconds. One row also for NULL, which functions that
-- refuse return beside their outcome.
DROP FUNCTION IF EXISTS show_booking(booking);

CREATE FUNCTION show_booking(it booking)
RETURNS TABLE (
    id bigint, place_id bigint, driver uuid, full_cost bigint, status text, date_from bigint, date_to bigint,
    kept_cost bigint, refund_policy jsonb, plate text, overstay_rule jsonb, overstay_cost bigint, overstay_owed bigint,
    checked_in_at bigint, checked_out_at bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.place_id, it.driver, it.full_cost, it.status, millis(it.date_from), millis(it.date_to),
        it.kept_cost, show_refund_policy(it.refund_free_hours, it.refund_percent), it.shown_plate,
        coalesce(it.overstay, 'null'), it.overstay_cost, it.overstay_cost - it.overstay_paid,
        millis(it.checked_in_at), millis(it.checked_out_at)
$$;
