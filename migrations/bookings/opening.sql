-- Whether a car may come at the start of a window, leave at its end, and stand on the place in between.
CREATE OR REPLACE FUNCTION is_open(
    the_time_zone text, opening jsonb, blackouts jsonb, starts timestamptz, ends timestamptz
) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF opening IS NULL AND blackouts = '[]' THEN
        RETURN true;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM jsonb_array_elements(blackouts) AS closed
        WHERE (closed ->> 'from')::timestamptz < ends AND (closed ->> 'to')::timestamptz > starts
    ) AND (opening IS NULL OR NOT EXISTS (
        SELECT
        -- Midnight is the end of a day for a car that leaves then.
        FROM (VALUES (starts), (ends - interval '1 microsecond')) AS passing (at)
        CROSS JOIN LATERAL (SELECT at AT TIME ZONE the_time_zone AS at) AS here
        WHERE NOT EXISTS (
            SELECT FROM jsonb_array_elements(opening) AS hours
            WHERE hours -> 'days' ? to_char(here.at, 'dy')
                AND here.at::time >= (hours ->> 'from')::time AND here.at::time < (hours ->> 'to')::time
        )
    ));
END
$$;

-- Lays the rules of a place down. What is booked already stays as it was booked.
DROP FUNCTION IF EXISTS set_rules(bigint, uuid, boolean, text, jsonb, jsonb, int, int);
CREATE OR REPLACE FUNCTION set_rules(
    the_place bigint, the_caller uuid, is_admin boolean, new_time_zone text, new_opening jsonb, new_blackouts jsonb,
    new_free_hours int, new_percent int, new_overstay jsonb DEFAULT NULL
) RETURNS text
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
    BEGIN
        PERFORM now() AT TIME ZONE new_time_zone;
    EXCEPTION WHEN invalid_parameter_value THEN
        RETURN 'unknown_time_zone';
    END;
    UPDATE place SET
        time_zone = new_time_zone, opening = new_opening, blackouts = new_blackouts,
        refund_free_hours = new_free_hours, refund_percent = new_percent, overstay = new_overstay
    WHERE id = the_place;
    RETURN 'changed';
END
$$;
