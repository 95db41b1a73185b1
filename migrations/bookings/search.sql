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

-- One row for each place, in order. A last row without a place says where the list goes on, when it does: after
-- which place, and how many are to be left out there. A page may be shorter than asked for, and the list goes on.
CREATE OR REPLACE FUNCTION search_places(
    the_city text, the_part text, the_type text, the_owner uuid, starts timestamptz, ends timestamptz,
    min_rate bigint, max_rate bigint, near_latitude float8, near_longitude float8,
    after_place bigint, skipped bigint, page bigint
) RETURNS TABLE (rank bigint, place_id bigint, free bigint, distance_km float8, reached bigint, left_out bigint)
LANGUAGE plpgsql STABLE ROWS 100
-- The cost of a plan depends on which filters there are. Scans of all places and sorts of many are never cheap here.
SET plan_cache_mode = force_custom_plan
SET enable_seqscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
    part text := lower(the_part);
    word text := longest_word(part);
    -- The index knows only what has three letters or digits in a row.
    is_searchable boolean := coalesce(word ~ '[[:alnum:]]{3}', false);
    pattern text := '%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%';
    here cube := on_sphere(near_latitude, near_longitude);
    bound record;
    -- So many places tell whether a name may be rare.
    sample CONSTANT bigint := 500;
    it record;
    -- Places with a rare name. Most of them are on later pages, so only those of this page are read whole.
    rare bigint[];
    -- Where all places are stored among which the nearest are found, when they are few.
    few tid[];
    -- How far the place is after which the list goes on. Places without coordinates come last, all of them without `here`.
    after_chord float8 := CASE WHEN here IS NULL THEN 'infinity'::float8 ELSE -1 END;
    last_looked bigint := coalesce(after_place, 0);
    looked bigint := 0;
    fitting bigint := 0;
    counted bigint := 0;
    is_rare boolean := false;
    is_bounded boolean := false;
BEGIN
    SELECT * INTO bound FROM search_bounds(page, skipped);
    rank := 0;
    left_out := skipped;
    IF here IS NULL THEN
        FOR it IN
            SELECT found.id, capacity, time_zone, opening, blackouts, NULL::float8 AS chord,
                (the_city IS NULL OR city = the_city)
                    AND (part IS NULL OR strpos(searched_name, part) > 0)
                    AND (the_type IS NULL OR parking_type = the_type)
                    AND (min_rate IS NULL OR hourly_rate >= min_rate)
                    AND (max_rate IS NULL OR hourly_rate <= max_rate) AS fits
            -- Only one of the four is there. Each is written as a range, so that its index alone gives the order.
            FROM (
                (SELECT * FROM place
                WHERE the_owner IS NOT NULL AND deleted_at IS NULL
                    AND (owner, id) > (the_owner, last_looked) AND owner <= the_owner
                ORDER BY owner, id LIMIT bound.looked)
                UNION ALL
                (SELECT * FROM place
                WHERE the_owner IS NULL AND the_city IS NOT NULL AND deleted_at IS NULL
                    AND (city, id) > (the_city, last_looked) AND city <= the_city
                ORDER BY city, id LIMIT bound.looked)
                UNION ALL
                (SELECT * FROM place
                WHERE the_owner IS NULL AND the_city IS NULL AND the_type IS NOT NULL AND deleted_at IS NULL
                    AND (parking_type, id) > (the_type, last_looked) AND parking_type <= the_type
                ORDER BY parking_type, id LIMIT bound.looked)
                UNION ALL
                (SELECT * FROM place
                WHERE the_owner IS NULL AND the_city IS NULL AND the_type IS NULL AND deleted_at IS NULL
                    AND id > last_looked
                ORDER BY id LIMIT bound.looked)
            ) AS found
        LOOP
            -- Fewer than one in fifty have the name so far, or this look ends. A rare name is found by its index then.
            IF is_searchable AND rare IS NULL
                AND (looked = sample AND fitting * 50 < looked OR looked = bound.looked - 1)
            THEN
                rare := ARRAY(
                    SELECT id FROM place WHERE searched_name LIKE pattern AND deleted_at IS NULL LIMIT bound.few + 1
                );
                is_rare := cardinality(rare) <= bound.few;
                EXIT WHEN is_rare;
            END IF;
            looked := looked + 1;
            last_looked := it.id;
            CONTINUE WHEN NOT it.fits;
            fitting := fitting + 1;
            IF starts IS NOT NULL THEN
                counted := counted + 1;
                free := CASE WHEN is_open(it.time_zone, it.opening, it.blackouts, starts, ends)
                    THEN it.capacity - peak(it.id, starts, ends) ELSE 0 END;
            END IF;
            IF free <= 0 THEN
                NULL;
            ELSIF left_out > 0 THEN
                left_out := left_out - 1;
            ELSE
                rank := rank + 1;
                place_id := it.id;
                RETURN NEXT;
            END IF;
            is_bounded := rank = page OR counted = bound.counted;
            EXIT WHEN is_bounded;
        END LOOP;
        IF NOT is_rare THEN
            IF is_bounded OR looked = bound.looked THEN
                place_id := NULL;
                reached := last_looked;
                RETURN NEXT;
            END IF;
            RETURN;
        END IF;
    ELSE
        IF the_owner IS NOT NULL THEN
            few := ARRAY(SELECT ctid FROM place WHERE owner = the_owner AND deleted_at IS NULL LIMIT bound.few + 1);
        END IF;
        IF is_searchable AND (few IS NULL OR cardinality(few) > bound.few) THEN
            few := ARRAY(
                SELECT ctid FROM place WHERE searched_name LIKE pattern AND deleted_at IS NULL LIMIT bound.few + 1
            );
        END IF;
        IF cardinality(few) > bound.few THEN
            few := NULL;
        END IF;
    END IF;

    IF here IS NOT NULL AND after_place IS NOT NULL THEN
        SELECT coalesce(located <-> here, 'infinity') INTO after_chord FROM place WHERE id = after_place;
    END IF;
    FOR it IN
        SELECT found.id, capacity, time_zone, opening, blackouts, chord
        -- Only one of the four is there. Each but `few` is written in the order of the whole, as its index gives it:
        -- nothing is sorted again, and no more places are read than the page needs.
        FROM (
            (SELECT *, NULL::float8 AS chord
            FROM place
            WHERE is_rare AND id = ANY (rare)
            ORDER BY id)
            UNION ALL
            (SELECT *, located <-> here AS chord
            FROM place
            WHERE few IS NOT NULL AND ctid = ANY (few))
            UNION ALL
            (SELECT *, located <-> here AS chord
            FROM place
            WHERE NOT is_rare AND few IS NULL AND the_city IS NOT NULL AND city = the_city AND deleted_at IS NULL
            ORDER BY located <-> here, CASE WHEN here IS NULL THEN id END LIMIT bound.nearest)
            UNION ALL
            -- The expression of the other index, which would otherwise be taken for a city far from here.
            (SELECT *, on_sphere(latitude, longitude) <-> here AS chord
            FROM place
            WHERE NOT is_rare AND few IS NULL AND the_city IS NULL AND deleted_at IS NULL
            ORDER BY on_sphere(latitude, longitude) <-> here, CASE WHEN here IS NULL THEN id END LIMIT bound.nearest)
        ) AS found
        WHERE (coalesce(chord, 'infinity'), found.id) > (after_chord, last_looked)
            AND (the_owner IS NULL OR owner = the_owner)
            AND (the_city IS NULL OR city = the_city)
            AND (part IS NULL OR strpos(searched_name, part) > 0)
            AND (the_type IS NULL OR parking_type = the_type)
            AND (min_rate IS NULL OR hourly_rate >= min_rate)
            AND (max_rate IS NULL OR hourly_rate <= max_rate)
        ORDER BY CASE WHEN here IS NOT NULL THEN chord END, found.id
    LOOP
        last_looked := it.id;
        IF starts IS NOT NULL THEN
            counted := counted + 1;
            free := CASE WHEN is_open(it.time_zone, it.opening, it.blackouts, starts, ends)
                    THEN it.capacity - peak(it.id, starts, ends) ELSE 0 END;
        END IF;
        IF free <= 0 THEN
            NULL;
        ELSIF left_out > 0 THEN
            left_out := left_out - 1;
        ELSE
            rank := rank + 1;
            place_id := it.id;
            -- Rounding may lift half a chord a little above 1.
            distance_km := CASE WHEN here IS NOT NULL AND it.chord IS NOT NULL
                THEN 2 * 6371 * asin(least(1, it.chord / 2)) END;
            RETURN NEXT;
        END IF;
        IF rank = page OR counted = bound.counted THEN
            place_id := NULL;
            reached := last_looked;
            RETURN NEXT;
            RETURN;
        END IF;
    END LOOP;
END
$$;
