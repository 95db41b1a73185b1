-- A parking place as statements read it. One row also for NULL, which functions that refuse return beside their
-- outcome. Only a search knows the room that is free and the distance.
CREATE OR REPLACE FUNCTION show_place(it place)
RETURNS TABLE (
    id bigint, owner uuid, name text, city text, address text, parking_type text, hourly_rate bigint,
    capacity int, latitude float8, longitude float8, free bigint, distance_km float8
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.owner, it.name, it.city, it.address, it.parking_type, it.hourly_rate, it.capacity,
        it.latitude, it.longitude, NULL::bigint, NULL::float8
$$;
