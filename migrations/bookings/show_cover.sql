-- A booking as checks of cars read it.
CREATE OR REPLACE FUNCTION show_cover(it booking, its_place place)
RETURNS TABLE (
    booking_id bigint, plate text, place_id bigint, place text, latitude float8, longitude float8, date_to bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.plate, its_place.id, its_place.name, its_place.latitude, its_place.longitude, millis(it.date_to)
$$;
