-- A booking as statements read it, moments in milliseconds. One row also for NULL, which functions that
-- refuse return beside their outcome.
CREATE OR REPLACE FUNCTION show_booking(it booking)
RETURNS TABLE (
    id bigint, place_id bigint, driver uuid, full_cost bigint, status text, date_from bigint, date_to bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.place_id, it.driver, it.full_cost, it.status, millis(it.date_from), millis(it.date_to)
$$;
