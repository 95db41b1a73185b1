-- Whether a car may come at the start of a window, leave at its end, and stand on the place in between.
CREATE OR REPLACE FUNCTION is_open(
    the_time_zone text, opening jsonb, blackouts jsonb, starts timestamptz, ends timestamptz
) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF opening IS NULL AND blackouts = '[]' THEN
        RETURN true;
    END IF;
    -- A path reads a hundred entries in a fraction of the time that casts of them take. Moments are written in UTC and minutes
    -- with two digits, so that their order is that of their texts: of moments to the day, and only those near the window are
    -- cast.
    RETURN NOT EXISTS (
        SELECT FROM jsonb_path_query(
            blackouts, '$[*] ? (@.from < $until && @.to > $since)', jsonb_build_object(
                'until', to_char((ends + interval '1 day') AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
                'since', to_char(starts AT TIME ZONE 'UTC', 'YYYY-MM-DD')
            )
        ) AS closed
        WHERE (closed ->> 'from')::timestamptz < ends AND (closed ->> 'to')::timestamptz > starts
    ) AND (opening IS NULL OR NOT EXISTS (
        SELECT
        -- Midnight is the end of a day for a car that leaves then.
        FROM (VALUES (starts), (ends - interval '1 microsecond')) AS passing (at)
        CROSS JOIN LATERAL (SELECT at AT TIME ZONE the_time_zone AS at) AS here
        WHERE NOT jsonb_path_exists(
            opening, '$[*] ? (@.from <= $minute && @.to > $minute && @.days[*] == $day)',
            jsonb_build_object('day', to_char(here.at, 'dy'), 'minute', to_char(here.at, 'HH24:MI'))
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
