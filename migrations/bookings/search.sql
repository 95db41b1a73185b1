-- The search of parking places. Every page of it looks at a bounded number of places, however many there are.

-- In pages: what a page may cost. A list without pages, which clients of the replaced system ask for, may cost more.
CREATE OR REPLACE FUNCTION search_bounds(page bigint, skipped bigint)
RETURNS TABLE (
    -- Places that are looked at in the order of the list.
    looked bigint,
    -- Places that an index finds by a filter and that are sorted then.
    few bigint,
    -- The nearest places, of which a search by distance is made.
    nearest bigint,
    -- Places whose room in the window is counted, which reads their bookings.
    counted bigint
)
LANGUAGE sql IMMUTABLE AS $$
    SELECT bounds.looked, bounds.few, bounds.nearest, bounds.counted
    FROM (VALUES
        (page <= 100, 3000 + skipped, 1000::bigint, 500 + skipped, 150::bigint),
        (page > 100, 20000 + skipped, 10000::bigint, 5000 + skipped, 1000::bigint)
    ) AS bounds (holds, looked, few, nearest, counted)
    WHERE holds
$$;

-- The longest word of a part of a name, which the trigram index is asked for: an index looks up each trigram, so
-- that many common words would cost much and find nothing. For the same reason the beginning of a long one is enough.
CREATE OR REPLACE FUNCTION longest_word(part text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT left(word, 50) FROM regexp_split_to_table(part, '\s+') AS word ORDER BY length(word) DESC LIMIT 1
$$;

-- Whether a place is what a search asks for. The planner puts these conditions in place of the call.
CREATE OR REPLACE FUNCTION fits(
    it place, the_owner uuid, the_city text, part text, the_type text, min_rate bigint, max_rate bigint
) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN (the_owner IS NULL OR it.owner = the_owner)
    AND (the_city IS NULL OR it.city = the_city)
    AND (part IS NULL OR strpos(it.searched_name, part) > 0)
    AND (the_type IS NULL OR it.parking_type = the_type)
    AND (min_rate IS NULL OR it.hourly_rate >= min_rate)
    AND (max_rate IS NULL OR it.hourly_rate <= max_rate);

-- The first places after one of them, in the order in which they were made: those of an owner, or else of a city, or else of a type,
-- or else all. Only one of the four parts has rows. Each is written as a range, so that its index alone gives the order.
CREATE OR REPLACE FUNCTION first_places(
    the_owner uuid, the_city text, part text, the_type text, min_rate bigint, max_rate bigint, after_id bigint, most bigint
) RETURNS TABLE (id bigint, capacity int, time_zone text, opening jsonb, blackouts jsonb, does_fit boolean)
LANGUAGE sql STABLE AS $$
    (SELECT id, capacity, time_zone, opening, blackouts, fits(place, the_owner, the_city, part, the_type, min_rate, max_rate)
    FROM place
    WHERE the_owner IS NOT NULL AND deleted_at IS NULL AND (owner, id) > (the_owner, after_id) AND owner <= the_owner
    ORDER BY owner, id LIMIT most)
    UNION ALL
    (SELECT id, capacity, time_zone, opening, blackouts, fits(place, the_owner, the_city, part, the_type, min_rate, max_rate)
    FROM place
    WHERE the_owner IS NULL AND the_city IS NOT NULL AND deleted_at IS NULL
        AND (city, id) > (the_city, after_id) AND city <= the_city
    ORDER BY city, id LIMIT most)
    UNION ALL
    (SELECT id, capacity, time_zone, opening, blackouts, fits(place, the_owner, the_city, part, the_type, min_rate, max_rate)
    FROM place
    WHERE the_owner IS NULL AND the_city IS NULL AND the_type IS NOT NULL AND deleted_at IS NULL
        AND (parking_type, id) > (the_type, after_id) AND parking_type <= the_type
    ORDER BY parking_type, id LIMIT most)
    UNION ALL
    (SELECT id, capacity, time_zone, opening, blackouts, fits(place, the_owner, the_city, part, the_type, min_rate, max_rate)
    FROM place
    WHERE the_owner IS NULL AND the_city IS NULL AND the_type IS NULL AND deleted_at IS NULL AND id > after_id
    ORDER BY id LIMIT most)
$$;

-- Whether an index finds the places of a name sooner than a look at all in their order does. The planner knows a sample of all
-- names; what it expects is out by a few times.
CREATE OR REPLACE FUNCTION is_rare(pattern text, few bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    plan json;
    expected float8;
    places float8;
BEGIN
    EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM place WHERE searched_name LIKE %L AND deleted_at IS NULL', pattern)
        INTO plan;
    expected := plan #>> '{0,Plan,Plan Rows}';
    SELECT reltuples INTO places FROM pg_class WHERE oid = 'place'::regclass;
    RETURN expected <= 5 * few AND (places < 0 OR expected * 50 < places);
END
$$;

-- The first places that an index finds by a part of their name, or else by their owner.
CREATE OR REPLACE FUNCTION find_few(pattern text, the_owner uuid, most bigint) RETURNS SETOF place
LANGUAGE plpgsql STABLE
-- Whether the index of names is worth its while depends on the name.
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    IF pattern IS NULL THEN
        RETURN QUERY SELECT * FROM place WHERE owner = the_owner AND deleted_at IS NULL LIMIT most;
    ELSE
        RETURN QUERY SELECT * FROM place WHERE searched_name LIKE pattern AND deleted_at IS NULL LIMIT most;
    END IF;
END
$$;

-- One row for each place, in order. A last row without a place says where the list goes on, when it does: after
-- which place, and how many are to be left out there. A page may be shorter than asked for, and the list goes on.
CREATE OR REPLACE FUNCTION search_places(
    the_city text, the_part text, the_type text, the_owner uuid, starts timestamptz, ends timestamptz,
    min_rate bigint, max_rate bigint, near_latitude float8, near_longitude float8,
    after_place bigint, skipped bigint, page bigint
) RETURNS TABLE (rank bigint, place_id bigint, free bigint, distance_km float8, reached bigint, left_out bigint)
LANGUAGE plpgsql STABLE ROWS 100
-- Any plan goes along the index that gives the order, and is soon done: to plan again would take longer. Scans of all
-- places and sorts of many are never cheap here.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
    part text := lower(the_part);
    word text := longest_word(part);
    pattern text := '%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%';
    here cube := on_sphere(near_latitude, near_longitude);
    bound record;
    -- The index knows only what has three letters or digits in a row.
    is_named boolean := coalesce(word ~ '[[:alnum:]]{3}', false);
    -- Places that an index finds by a filter, in the order of the list.
    few bigint[];
    are_few boolean := false;
    -- How far the place is after which the list goes on. Places without coordinates come last, all of them without `here`.
    after_chord float8 := CASE WHEN here IS NULL THEN 'infinity'::float8 ELSE -1 END;
    after_id bigint := coalesce(after_place, 0);
    -- How many are left out before their room is looked at.
    passed bigint := CASE WHEN starts IS NULL THEN skipped ELSE 0 END;
    counted bigint := 0;
    it record;
BEGIN
    SELECT * INTO bound FROM search_bounds(page, skipped);
    IF here IS NOT NULL AND after_place IS NOT NULL THEN
        SELECT coalesce(located <-> here, 'infinity') INTO after_chord FROM place WHERE id = after_place;
    END IF;
    is_named := is_named AND is_rare(pattern, bound.few);
    IF is_named OR here IS NOT NULL AND the_owner IS NOT NULL THEN
        SELECT count(*) <= bound.few, array_agg(place.id ORDER BY chord, place.id) FILTER (
            WHERE fits(place, the_owner, the_city, part, the_type, min_rate, max_rate)
                AND (chord, place.id) > (after_chord, after_id)
        ) INTO are_few, few
        FROM find_few(CASE WHEN is_named THEN pattern END, the_owner, bound.few + 1) AS place
        CROSS JOIN LATERAL coalesce(located <-> here, 'infinity') AS chord;
    END IF;
    rank := 0;
    left_out := skipped;
    FOR it IN
        -- Only one of these has rows: places by their owner, city, type or id, few ones, the nearest of a city, or of all.
        -- An index alone gives the order, so that no more places are read than the page needs.
        SELECT id, capacity, time_zone, opening, blackouts, NULL::float8 AS chord,
            does_fit AND fitting > passed AS is_found, fitting, nth = bound.looked AS is_last
        FROM (
            SELECT *, count(*) OVER so_far AS nth, count(*) FILTER (WHERE does_fit) OVER so_far AS fitting
            FROM (
                SELECT * FROM first_places(
                    the_owner, the_city, part, the_type, min_rate, max_rate, after_id, bound.looked
                )
                WHERE NOT are_few AND here IS NULL
            ) AS looked
            WINDOW so_far AS (ROWS UNBOUNDED PRECEDING)
        ) AS looked
        WHERE does_fit AND fitting > passed OR nth = bound.looked
        UNION ALL
        (SELECT place.id, capacity, time_zone, opening, blackouts, located <-> here, true, NULL, false
        FROM unnest(few) AS one (id)
        JOIN place ON place.id = one.id
        WHERE are_few
        OFFSET passed)
        UNION ALL
        (SELECT id, capacity, time_zone, opening, blackouts, chord, true, NULL, false
        FROM (
            (SELECT id, capacity, time_zone, opening, blackouts, on_sphere(latitude, longitude) <-> here AS chord,
                fits(place, the_owner, the_city, part, the_type, min_rate, max_rate) AS does_fit
            FROM place
            WHERE NOT are_few AND here IS NOT NULL AND the_city IS NOT NULL AND deleted_at IS NULL AND city = the_city
            ORDER BY on_sphere(latitude, longitude) <-> here LIMIT bound.nearest)
            UNION ALL
            (SELECT id, capacity, time_zone, opening, blackouts, located <-> here AS chord,
                fits(place, the_owner, the_city, part, the_type, min_rate, max_rate)
            FROM place
            WHERE NOT are_few AND here IS NOT NULL AND the_city IS NULL AND deleted_at IS NULL
            ORDER BY located <-> here LIMIT bound.nearest)
        ) AS nearest
        WHERE does_fit AND (coalesce(chord, 'infinity'), id) > (after_chord, after_id)
        ORDER BY chord, id
        OFFSET passed)
        LIMIT CASE WHEN starts IS NULL THEN page ELSE bound.counted END
    LOOP
        IF starts IS NULL THEN
            left_out := greatest(passed - it.fitting, 0);
        ELSIF it.is_found THEN
            counted := counted + 1;
            free := CASE WHEN is_open(it.time_zone, it.opening, it.blackouts, starts, ends)
                THEN it.capacity - peak(it.id, starts, ends) ELSE 0 END;
        END IF;
        IF NOT it.is_found OR free <= 0 THEN
            NULL;
        ELSIF left_out > 0 THEN
            left_out := left_out - 1;
        ELSE
            rank := rank + 1;
            place_id := it.id;
            -- Rounding may lift half a chord a little above 1.
            distance_km := CASE WHEN it.chord IS NOT NULL THEN 2 * 6371 * asin(least(1, it.chord / 2)) END;
            RETURN NEXT;
        END IF;
        IF rank = page OR counted = bound.counted OR it.is_last THEN
            place_id := NULL;
            reached := it.id;
            RETURN NEXT;
            RETURN;
        END IF;
    END LOOP;
END
$$;
