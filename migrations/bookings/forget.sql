-- Forgets an erased person: closes their places and cancels bookings that have not begun, `at_most` of them; says how
-- many. What they booked is canceled as if they did it themselves, so its owner keeps what the refund policy says. Their bookings
-- keep no plate, and no overstay is owed by them or to them, nor will one be.
CREATE OR REPLACE FUNCTION forget(the_user uuid, at_most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = bookings, pg_temp AS $$
DECLARE
    the_booking bigint;
    called_off bigint := 0;
BEGIN
    -- This waits for bookings that are being made there, so that the loop sees them.
    UPDATE place SET deleted_at = now() WHERE owner = the_user AND deleted_at IS NULL;
    -- A car that is leaving may go from one booking of its driver to another, so it is locked ahead of all bookings.
    PERFORM lock_car(place_id, plate) FROM (
        SELECT DISTINCT place_id, plate FROM booking
        WHERE plate IS NOT NULL AND checked_in_at IS NOT NULL AND checked_out_at IS NULL
            AND (driver = the_user OR place_id = ANY (ARRAY(SELECT id FROM place WHERE owner = the_user)))
        ORDER BY place_id, plate
    ) AS inside;
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
        PERFORM cancel(the_booking, the_user, false, false);
        called_off := called_off + 1;
    END LOOP;
    UPDATE booking SET plate = NULL, shown_plate = NULL WHERE driver = the_user AND plate IS NOT NULL;
    -- The rule goes first: this waits for a car that is leaving, and the next statement sees what it owes. Until its booking ends, a
    -- car that has left may come again; while an extension is being paid, what it owes is not known.
    UPDATE booking SET overstay = NULL
    WHERE overstay IS NOT NULL AND status <> 'Canceled' AND deleted_at IS NULL
        AND (checked_out_at IS NULL OR date_to > now() OR held_to > date_to)
        AND (driver = the_user OR place_id = ANY (ARRAY(SELECT id FROM place WHERE owner = the_user)));
    UPDATE booking SET overstay_cost = overstay_paid
    WHERE overstay_paid < overstay_cost
        AND (driver = the_user OR place_id IN (SELECT id FROM place WHERE owner = the_user));
    RETURN called_off;
END
$$;
