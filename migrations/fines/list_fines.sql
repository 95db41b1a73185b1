-- The fines of a list, the newest first. What is null does not filter. Each list has a plan of its own, because each filter has
-- an index of its own. Open appeals are few, so they are read first: as one more condition they would be looked for in all fines.
CREATE OR REPLACE FUNCTION find_fines(
    in_zone bigint, of_plate text, in_state text, is_appealed boolean, at_most bigint, skipped bigint
) RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 20 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF is_appealed THEN
        RETURN QUERY
        SELECT fine.id FROM appeal JOIN fine ON fine.id = appeal.fine_id
        WHERE appeal.status = 'open' AND fine.hidden_at IS NULL
            AND (in_zone IS NULL OR fine.zone_id = in_zone)
            AND (of_plate IS NULL OR fine.plate = of_plate)
            AND (in_state IS NULL OR fine.status = in_state)
        ORDER BY fine.id DESC
        LIMIT at_most OFFSET skipped;
    ELSE
        RETURN QUERY
        SELECT fine.id FROM fine
        WHERE fine.hidden_at IS NULL
            AND (in_zone IS NULL OR fine.zone_id = in_zone)
            AND (of_plate IS NULL OR fine.plate = of_plate)
            AND (in_state IS NULL OR fine.status = in_state)
        ORDER BY fine.id DESC
        LIMIT at_most OFFSET skipped;
    END IF;
END $$;
