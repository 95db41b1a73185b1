-- The most bookings that stand at one instant of the half-open window. PL/pgSQL keeps the plan; an SQL
-- function is planned anew at each call, here while others wait for the place.
CREATE OR REPLACE FUNCTION peak(
    the_place bigint, starts timestamptz, ends timestamptz, except_booking bigint DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql STABLE
-- Any plan begins at the place. A search, which is planned anew each time, calls this for a hundred places.
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    -- A search counts many places, and most of them are empty. `least` passes over a null.
    IF NOT EXISTS (
        SELECT FROM booking
        WHERE place_id = the_place AND status <> 'Canceled'
            AND least(date_from, held_from) < ends AND held_to > starts
    ) THEN
        RETURN 0;
    END IF;
    RETURN (
        WITH live AS (
            SELECT least(date_from, held_from) AS held_from, held_to
            FROM booking
            WHERE place_id = the_place AND status <> 'Canceled'
                AND least(date_from, held_from) < ends AND held_to > starts
                AND id IS DISTINCT FROM except_booking
        ), step (at, change) AS (
            SELECT greatest(held_from, starts), 1 FROM live
            UNION ALL
            SELECT held_to, -1 FROM live
        ), standing (cars) AS (
            -- A car that leaves at an instant has left when the next one comes.
            SELECT sum(change) OVER (ORDER BY at, change ROWS UNBOUNDED PRECEDING) FROM step
        )
        SELECT coalesce(max(cars), 0) FROM standing
    );
END
$$;
