-- The booking that a check found: it covers the car when its place lies in the zone.
ALTER TABLE plate_check
    ADD booking_id bigint,
    ADD booked_place text,
    ADD booked_until timestamptz,
    ADD booked_in_zone boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT plate_check_booking_is_whole CHECK (
        (booking_id IS NULL) = (booked_place IS NULL) AND (booking_id IS NULL) = (booked_until IS NULL)
        AND (booking_id IS NOT NULL OR NOT booked_in_zone)
    );
