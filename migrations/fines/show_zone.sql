-- A zone, a car and a kiosk as statements read them, moments in milliseconds. One row also for NULL, which functions
-- that refuse return beside their outcome.
CREATE OR REPLACE FUNCTION show_zone(it zone)
RETURNS TABLE (
    id bigint, name text, available boolean, geometry text, metadata jsonb, price_offset numeric, price_lin numeric,
    price_exp numeric, currency text, rules jsonb, created_at bigint, updated_at bigint, revision bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.name, it.available, it.shape, it.metadata, it.price_offset, it.price_lin, it.price_exp, it.currency,
        it.rules, millis(it.created_at), millis(it.updated_at), it.revision
$$;

CREATE OR REPLACE FUNCTION show_role(it zone_role)
RETURNS TABLE (id bigint, zone_id bigint, username text, role text, assigned_at bigint, assigned_by text)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.zone_id, it.username, it.role, millis(it.assigned_at), it.assigned_by
$$;

CREATE OR REPLACE FUNCTION show_totem(it totem)
RETURNS TABLE (id text, zone_id bigint, latitude double precision, longitude double precision, registration_time bigint)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.zone_id, it.latitude, it.longitude, millis(it.registered_at)
$$;
