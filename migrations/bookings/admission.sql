-- A seat in a queue: four requests wait in each at most, in all copies of the function. All others are sent away and come
-- again, so that one place that all want does not take the connections of the others. A place has a queue for its row and one
-- for the cars at its gate, and each booking has one: who wants to book does not keep a car from leaving.
DROP FUNCTION IF EXISTS is_admitted(bigint);
CREATE OR REPLACE FUNCTION is_admitted(the_id bigint, queue text DEFAULT 'place') RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    -- An unknown booking is at no place.
    IF the_id IS NULL THEN
        RETURN true;
    END IF;
    FOR seat IN 1..4 LOOP
        IF pg_try_advisory_xact_lock(hashtext(queue || ' ' || the_id), seat) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
