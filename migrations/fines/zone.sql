-- Zones and their staff. The rights of a caller in a zone are decided here.

-- The newest change among the zones whose bounds touch these.
CREATE OR REPLACE FUNCTION newest_nearby(
    box_west double precision, box_south double precision, box_east double precision, box_north double precision,
    except_zone bigint
) RETURNS bigint
LANGUAGE sql STABLE
RETURN (
    SELECT coalesce(max(revision), 0) FROM zone
    WHERE removed_at IS NULL AND zone.id IS DISTINCT FROM except_zone
        AND box(point(west, south), point(east, north)) && box(point(box_west, box_south), point(box_east, box_north))
);

-- Founds a zone. Its neighbours were compared with it before; when one of them changed since, the comparison is stale.
CREATE OR REPLACE FUNCTION create_zone(
    the_request uuid, the_caller uuid, the_username text, it jsonb, the_shape text, box_west double precision,
    box_south double precision, box_east double precision, box_north double precision, seen bigint, the_payee uuid
) RETURNS TABLE (outcome text, subject zone)
LANGUAGE plpgsql AS $$
DECLARE
    z zone;
BEGIN
    PERFORM FROM zone_guard FOR NO KEY UPDATE;
    SELECT * INTO z FROM zone WHERE request = the_request;
    IF FOUND THEN
        RETURN QUERY SELECT 'created', z;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM zone WHERE lower(name) = lower(it ->> 'name') AND removed_at IS NULL) THEN
        RETURN QUERY SELECT 'zone_exists', NULL::zone;
        RETURN;
    END IF;
    IF newest_nearby(box_west, box_south, box_east, box_north, NULL) > seen THEN
        RETURN QUERY SELECT 'stale', NULL::zone;
        RETURN;
    END IF;
    INSERT INTO zone (
        request, name, available, shape, west, south, east, north, metadata, price_offset, price_lin, price_exp, currency,
        rules, payee, created_by
    )
    VALUES (
        the_request, it ->> 'name', (it ->> 'available')::boolean, the_shape, box_west, box_south, box_east, box_north,
        it -> 'metadata', (it ->> 'price_offset')::numeric, (it ->> 'price_lin')::numeric,
        (it ->> 'price_exp')::numeric, it ->> 'currency', it -> 'rules', the_payee, the_caller
    )
    RETURNING * INTO z;
    INSERT INTO zone_role (zone_id, user_id, username, role, assigned_by)
    VALUES (z.id, the_caller, the_username, 'admin', the_username);
    RETURN QUERY SELECT 'created', z;
END
$$;

-- Changes a zone; members absent from `it` stay. Tickets and fines keep the tariff under which they were sold and issued, so
-- the present tariff is stored before it changes.
CREATE OR REPLACE FUNCTION change_zone(
    the_zone bigint, the_caller uuid, is_admin boolean, it jsonb, the_shape text, box_west double precision,
    box_south double precision, box_east double precision, box_north double precision, seen bigint
) RETURNS TABLE (outcome text, subject zone)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    z zone;
BEGIN
    PERFORM FROM zone_guard FOR NO KEY UPDATE;
    SELECT * INTO z FROM zone WHERE id = the_zone AND removed_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_zone', NULL::zone;
        RETURN;
    END IF;
    IF NOT (is_admin OR runs_zone(the_zone, the_caller)) OR (it ? 'payee' AND NOT is_admin) THEN
        RETURN QUERY SELECT 'forbidden', NULL::zone;
        RETURN;
    END IF;
    IF EXISTS (
        SELECT FROM zone WHERE lower(name) = lower(it ->> 'name') AND removed_at IS NULL AND id <> the_zone
    ) THEN
        RETURN QUERY SELECT 'zone_exists', NULL::zone;
        RETURN;
    END IF;
    IF the_shape IS NOT NULL AND newest_nearby(box_west, box_south, box_east, box_north, the_zone) > seen THEN
        RETURN QUERY SELECT 'stale', NULL::zone;
        RETURN;
    END IF;
    INSERT INTO past_tariff (zone_id, revision, tariff)
    VALUES (z.id, z.revision, jsonb_build_object(
        'price_offset', z.price_offset, 'price_lin', z.price_lin, 'price_exp', z.price_exp, 'rules', z.rules
    ));
    UPDATE zone SET
        revision = nextval('zone_revision'),
        name = coalesce(it ->> 'name', name),
        available = coalesce((it ->> 'available')::boolean, available),
        shape = coalesce(the_shape, shape),
        west = coalesce(box_west, west),
        south = coalesce(box_south, south),
        east = coalesce(box_east, east),
        north = coalesce(box_north, north),
        metadata = coalesce(it -> 'metadata', metadata),
        price_offset = coalesce((it ->> 'price_offset')::numeric, price_offset),
        price_lin = coalesce((it ->> 'price_lin')::numeric, price_lin),
        price_exp = coalesce((it ->> 'price_exp')::numeric, price_exp),
        rules = coalesce(it -> 'rules', rules),
        payee = coalesce((it ->> 'payee')::uuid, payee),
        updated_at = now()
    WHERE id = the_zone
    RETURNING * INTO z;
    RETURN QUERY SELECT 'changed', z;
END
$$;

-- Hides a zone. Its tickets and fines stay. Its kiosks go, so that they can be registered in another zone.
CREATE OR REPLACE FUNCTION remove_zone(the_zone bigint, the_caller uuid, is_admin boolean) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM zone WHERE id = the_zone AND removed_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_zone';
    END IF;
    IF NOT (is_admin OR runs_zone(the_zone, the_caller)) THEN
        RETURN 'forbidden';
    END IF;
    UPDATE zone SET removed_at = now(), available = false, revision = nextval('zone_revision') WHERE id = the_zone;
    DELETE FROM totem WHERE zone_id = the_zone;
    RETURN 'removed';
END
$$;

-- Gives a user a role in a zone; another role than the one they hold replaces it.
CREATE OR REPLACE FUNCTION assign_role(
    the_zone bigint, the_caller uuid, is_admin boolean, by_username text, the_user uuid, the_username text, the_role text
) RETURNS TABLE (outcome text, subject zone_role)
LANGUAGE plpgsql AS $$
DECLARE
    held zone_role;
BEGIN
    PERFORM FROM zone WHERE id = the_zone AND removed_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_zone', NULL::zone_role;
        RETURN;
    END IF;
    IF NOT (is_admin OR runs_zone(the_zone, the_caller)) THEN
        RETURN QUERY SELECT 'forbidden', NULL::zone_role;
        RETURN;
    END IF;
    SELECT * INTO held FROM zone_role WHERE zone_id = the_zone AND user_id = the_user;
    IF held.role = the_role THEN
        RETURN QUERY SELECT 'role_assigned', NULL::zone_role;
        RETURN;
    END IF;
    INSERT INTO zone_role (zone_id, user_id, username, role, assigned_by)
    VALUES (the_zone, the_user, the_username, the_role, by_username)
    ON CONFLICT (zone_id, user_id) DO UPDATE
        SET role = the_role, username = the_username, assigned_at = now(), assigned_by = by_username
    RETURNING * INTO held;
    RETURN QUERY SELECT 'assigned', held;
END
$$;

-- Withdraws one role of a user in a zone.
CREATE OR REPLACE FUNCTION withdraw_role(the_zone bigint, the_caller uuid, is_admin boolean, the_username text)
RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM zone WHERE id = the_zone AND removed_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_zone';
    END IF;
    IF NOT (is_admin OR runs_zone(the_zone, the_caller)) THEN
        RETURN 'forbidden';
    END IF;
    DELETE FROM zone_role WHERE zone_id = the_zone AND lower(username) = lower(the_username);
    RETURN CASE WHEN FOUND THEN 'removed' ELSE 'no_users' END;
END
$$;

-- Registers a kiosk for the owner of a passcode, who has to run the zone.
CREATE OR REPLACE FUNCTION register_totem(
    the_totem text, the_zone bigint, the_latitude double precision, the_longitude double precision, the_caller uuid,
    is_admin boolean
) RETURNS TABLE (outcome text, subject totem)
LANGUAGE plpgsql AS $$
DECLARE
    t totem;
BEGIN
    -- Locked, so that the zone is not removed meanwhile.
    PERFORM FROM zone WHERE id = the_zone AND removed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_zone', NULL::totem;
        RETURN;
    END IF;
    IF NOT (is_admin OR runs_zone(the_zone, the_caller)) THEN
        RETURN QUERY SELECT 'forbidden', NULL::totem;
        RETURN;
    END IF;
    INSERT INTO totem (id, zone_id, latitude, longitude, registered_by)
    VALUES (the_totem, the_zone, the_latitude, the_longitude, the_caller)
    ON CONFLICT DO NOTHING
    RETURNING * INTO t;
    IF t.id IS NULL THEN
        RETURN QUERY SELECT 'totem_registered', NULL::totem;
        RETURN;
    END IF;
    RETURN QUERY SELECT 'registered', t;
END
$$;

CREATE OR REPLACE FUNCTION remove_totem(the_totem text, the_caller uuid, is_admin boolean) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    t totem;
BEGIN
    SELECT * INTO t FROM totem WHERE id = the_totem FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_totem';
    END IF;
    IF NOT (is_admin OR runs_zone(t.zone_id, the_caller)) THEN
        RETURN 'forbidden';
    END IF;
    DELETE FROM totem WHERE id = the_totem;
    RETURN 'removed';
END
$$;
