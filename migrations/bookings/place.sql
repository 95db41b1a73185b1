-- Changing and removing a place.

-- Replaces what an owner says about a place; what is booked must still fit.
CREATE OR REPLACE FUNCTION place_change(
    the_place bigint, the_caller uuid, is_admin boolean,
    new_name text, new_city text, new_address text, new_type text,
    new_rate bigint, new_capacity int, new_latitude double precision, new_longitude double precision
) RETURNS TABLE (outcome text, subject place)
LANGUAGE plpgsql AS $$
DECLARE
    p place;
BEGIN
    IF NOT is_admitted(the_place) THEN
        RETURN QUERY SELECT 'crowded', NULL::place;
        RETURN;
    END IF;
    SELECT * INTO p FROM place WHERE id = the_place AND deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_place', NULL::place;
        RETURN;
    END IF;
    IF NOT is_admin AND p.owner <> the_caller THEN
        RETURN QUERY SELECT 'forbidden', NULL::place;
        RETURN;
    END IF;
    IF new_capacity < p.capacity AND peak(the_place, now(), 'infinity') > new_capacity THEN
        RETURN QUERY SELECT 'booked_beyond', NULL::place;
        RETURN;
    END IF;
    UPDATE place SET
        name = new_name, city = new_city, address = new_address, parking_type = new_type,
        hourly_rate = new_rate, capacity = new_capacity,
        latitude = new_latitude, longitude = new_longitude
    WHERE id = the_place
    RETURNING * INTO p;
    RETURN QUERY SELECT 'changed', p;
END
$$;

-- Hides a place on which no car is going to stand any more.
CREATE OR REPLACE FUNCTION place_remove(the_place bigint, the_caller uuid, is_admin boolean) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    p place;
BEGIN
    IF NOT is_admitted(the_place) THEN
        RETURN 'crowded';
    END IF;
    SELECT * INTO p FROM place WHERE id = the_place AND deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_place';
    END IF;
    IF NOT is_admin AND p.owner <> the_caller THEN
        RETURN 'forbidden';
    END IF;
    IF peak(the_place, now(), 'infinity') > 0 THEN
        RETURN 'still_booked';
    END IF;
    UPDATE place SET deleted_at = now() WHERE id = the_place;
    RETURN 'removed';
END
$$;
