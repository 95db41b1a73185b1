-- A place in the queue for a parking place: four requests wait for its row at most, in all copies of the function. All
-- others are sent away and come again, so that one place that all want does not take the connections of the others.
CREATE OR REPLACE FUNCTION is_admitted(the_place bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    -- An unknown booking is at no place.
    IF the_place IS NULL THEN
        RETURN true;
    END IF;
    FOR seat IN 1..4 LOOP
        IF pg_try_advisory_xact_lock(hashint8(the_place), seat) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
