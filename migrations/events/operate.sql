-- What operators do with deliveries, through the function jobs.

-- The state of a delivery that operators free: ready, or blocked behind others of its line. The caller holds `lock_lines`.
CREATE OR REPLACE FUNCTION state_in_line(it delivery) RETURNS text
LANGUAGE sql STABLE
RETURN CASE
    WHEN EXISTS (
        SELECT FROM events.delivery AS other
        WHERE other.consumer = it.consumer AND other.lane = it.lane AND other.aggregate = it.aggregate
            AND other.id <> it.id AND other.state IN ('ready', 'running', 'retrying', 'parked', 'blocked')
    ) THEN 'blocked'
    ELSE events.state_of_head(it.kind, NULL)
END;

-- Requeues the deliveries of an event, for one consumer or for all. A dead letter gets all its attempts and its old place in
-- its line again; a delivery that waits for its next attempt gets it now.
CREATE OR REPLACE FUNCTION requeue(of_event uuid, for_consumer text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    requeued delivery[];
BEGIN
    PERFORM lock_lines();
    WITH changed AS (
        UPDATE delivery SET
            state = CASE delivery.state WHEN 'dead' THEN state_in_line(delivery) ELSE 'ready' END,
            parked_for = CASE
                WHEN delivery.state = 'dead' AND state_in_line(delivery) = 'parked' THEN delivery.kind
            END,
            attempts = CASE delivery.state WHEN 'dead' THEN 0 ELSE delivery.attempts END,
            -- Delivered although it has expired, because an operator wants it.
            expires_at = NULL,
            due_at = clock_timestamp(),
            settled_at = NULL,
            is_passed = false
        WHERE delivery.event = of_event AND (for_consumer IS NULL OR delivery.consumer = for_consumer)
            AND delivery.state IN ('dead', 'retrying')
        RETURNING delivery
    )
    SELECT array_agg(changed.delivery) INTO requeued FROM changed;
    IF requeued IS NULL THEN
        RETURN CASE
            WHEN EXISTS (SELECT FROM entry WHERE id = of_event) THEN 'not_waiting'
            ELSE 'unknown_event'
        END;
    END IF;
    PERFORM wake_lanes(array_agg(it.consumer), array_agg(it.lane)) FROM unnest(requeued) AS it;
    RETURN 'requeued';
END $$;

-- Requeues up to `at_most` dead letters, the oldest first; answers how many.
CREATE OR REPLACE FUNCTION requeue_dead(of_kind text, for_consumer text, at_most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    requeued bigint := 0;
    it delivery;
BEGIN
    PERFORM lock_lines();
    FOR it IN
        SELECT delivery.* FROM delivery
        WHERE delivery.state = 'dead' AND (of_kind IS NULL OR delivery.kind = of_kind)
            AND (for_consumer IS NULL OR delivery.consumer = for_consumer)
        ORDER BY delivery.seq
        LIMIT at_most
    LOOP
        UPDATE delivery SET
            state = state_in_line(it),
            parked_for = CASE state_in_line(it) WHEN 'parked' THEN delivery.kind END,
            attempts = 0, expires_at = NULL, due_at = clock_timestamp(), settled_at = NULL, is_passed = false
        WHERE delivery.id = it.id;
        requeued := requeued + 1;
        PERFORM wake_lanes(ARRAY[it.consumer], ARRAY[it.lane]);
    END LOOP;
    RETURN requeued;
END $$;

-- Gives a dead letter up: it counts as carried out and names the admin.
CREATE OR REPLACE FUNCTION discard(of_event uuid, for_consumer text, by_admin uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
BEGIN
    PERFORM lock_lines();
    WITH discarded AS (
        UPDATE delivery SET state = 'done', settled_at = clock_timestamp(), last_error = 'discarded by ' || by_admin
        WHERE delivery.event = of_event AND (for_consumer IS NULL OR delivery.consumer = for_consumer)
            AND delivery.state = 'dead'
        RETURNING delivery.event, delivery.consumer, delivery.attempts, delivery.last_error
    )
    INSERT INTO failure (event, consumer, attempt, failed_at, error)
    SELECT event, consumer, attempts, clock_timestamp(), last_error FROM discarded;
    IF FOUND THEN
        RETURN 'discarded';
    END IF;
    RETURN CASE WHEN EXISTS (SELECT FROM entry WHERE id = of_event) THEN 'not_dead' ELSE 'unknown_event' END;
END $$;

-- Frees up to `at_most` deliveries that are parked for `what`; answers how many.
CREATE OR REPLACE FUNCTION unpark(what text, at_most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    freed delivery[];
BEGIN
    PERFORM lock_lines();
    WITH parked AS MATERIALIZED (
        SELECT delivery.id FROM delivery
        WHERE delivery.state = 'parked' AND delivery.parked_for = what
        ORDER BY delivery.id
        LIMIT at_most
    ), changed AS (
        UPDATE delivery SET
            state = CASE WHEN delivery.not_before > clock_timestamp() THEN 'retrying' ELSE 'ready' END,
            due_at = greatest(clock_timestamp(), delivery.not_before),
            parked_for = NULL
        FROM parked
        WHERE delivery.id = parked.id
        RETURNING delivery.*
    )
    SELECT array_agg(changed::delivery) INTO freed FROM changed;
    PERFORM wake_lanes(array_agg(it.consumer), array_agg(it.lane))
    FROM (SELECT DISTINCT it.consumer, it.lane FROM unnest(freed) AS it) AS it;
    RETURN coalesce(cardinality(freed), 0);
END $$;

-- The same for the deliveries of the calling function. Deliveries of events before `since` count as carried out.
CREATE OR REPLACE FUNCTION release_parked(what text, since timestamptz, at_most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    freed delivery[];
BEGIN
    PERFORM lock_lines();
    WITH parked AS MATERIALIZED (
        SELECT delivery.id FROM delivery
        WHERE delivery.state = 'parked' AND delivery.parked_for = what AND delivery.consumer = consumer()
        ORDER BY delivery.id
        LIMIT at_most
    ), changed AS (
        UPDATE delivery SET
            state = CASE WHEN delivery.created_at < since THEN 'done' ELSE 'ready' END,
            due_at = clock_timestamp(),
            parked_for = NULL,
            settled_at = CASE WHEN delivery.created_at < since THEN clock_timestamp() END,
            last_error = CASE WHEN delivery.created_at < since THEN 'not wanted any more' END
        FROM parked
        WHERE delivery.id = parked.id
        RETURNING delivery.*
    )
    SELECT array_agg(changed::delivery) INTO freed FROM changed;
    PERFORM wake_lanes(array_agg(it.consumer), array_agg(it.lane))
    FROM (SELECT DISTINCT it.consumer, it.lane FROM unnest(freed) AS it) AS it;
    RETURN coalesce(cardinality(freed), 0);
END $$;

-- Parks up to `at_most` deliveries of a paused kind, so that claims need not walk over them; answers how many.
CREATE OR REPLACE FUNCTION park_kind(of_kind text, at_most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    parked bigint;
BEGIN
    PERFORM lock_lines();
    UPDATE delivery SET state = 'parked', parked_for = delivery.kind
    WHERE delivery.id IN (
        SELECT it.id FROM delivery AS it
        WHERE it.kind = of_kind AND it.state = 'ready' AND EXISTS (SELECT FROM pause WHERE pause.kind = of_kind)
        LIMIT at_most
        FOR NO KEY UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS parked = ROW_COUNT;
    RETURN parked;
END $$;

-- Pauses the lanes of a function by name, as `messenger` or `webhook:0199…`, or all of them; answers how many.
CREATE OR REPLACE FUNCTION pause_lanes(of_consumer text, a_name text, by_admin uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    paused bigint;
BEGIN
    -- A lane that was never used can be paused too.
    INSERT INTO lane (consumer, name, max_running, rank, breaks)
    SELECT DISTINCT subscription.consumer, subscription.lane, coalesce(lane_rule.max_running, 64),
        coalesce(lane_rule.rank, 1::smallint), coalesce(lane_rule.breaks, false)
    FROM subscription
    LEFT JOIN lane_rule ON lane_rule.consumer = subscription.consumer AND lane_rule.name = subscription.lane
    WHERE subscription.consumer = of_consumer AND subscription.lane_key IS NULL
        AND (a_name IS NULL OR subscription.lane = a_name)
    ON CONFLICT (consumer, name) DO NOTHING;
    UPDATE lane SET paused_by = coalesce(lane.paused_by, by_admin), wake_at = NULL
    WHERE lane.consumer = of_consumer AND (a_name IS NULL OR lane.name = a_name);
    GET DIAGNOSTICS paused = ROW_COUNT;
    RETURN paused;
END $$;

CREATE OR REPLACE FUNCTION resume_lanes(of_consumer text, a_name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    resumed bigint;
BEGIN
    UPDATE lane SET paused_by = NULL, wake_at = clock_timestamp()
    WHERE lane.consumer = of_consumer AND (a_name IS NULL OR lane.name = a_name) AND lane.paused_by IS NOT NULL;
    GET DIAGNOSTICS resumed = ROW_COUNT;
    RETURN resumed;
END $$;

-- Whether signin has emitted this about a user, as far back as events are kept.
CREATE OR REPLACE FUNCTION is_told(of_user text, what jsonb) RETURNS bool
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = events, pg_temp
RETURN EXISTS (
    SELECT FROM outbox
    WHERE kind IN ('user:created', 'user:updated') AND aggregate = of_user AND payload = what
) OR EXISTS (
    SELECT FROM delivery
    WHERE kind IN ('user:created', 'user:updated') AND aggregate = of_user AND payload = what
) OR EXISTS (
    SELECT FROM archive
    WHERE kind IN ('user:created', 'user:updated') AND aggregate = of_user AND payload = what
);

-- Makes the partitions of the coming days and drops those that are older than a week.
CREATE OR REPLACE FUNCTION keep_days() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    today date := (now() AT TIME ZONE 'UTC')::date;
    partition regclass;
BEGIN
    FOR day IN 0..2 LOOP
        PERFORM keep_day('archive', today + day), keep_day('failure', today + day);
    END LOOP;
    FOR partition IN
        SELECT pg_inherits.inhrelid::regclass FROM pg_inherits
        JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent IN ('archive'::regclass, 'failure'::regclass)
            AND right(pg_class.relname, 8) ~ '^[0-9]{8}$'
            AND to_date(right(pg_class.relname, 8), 'YYYYMMDD') < today - 7
    LOOP
        EXECUTE format('DROP TABLE %s', partition);
    END LOOP;
END $$;

-- Deletes dead letters that are older than 90 days; answers how many.
CREATE OR REPLACE FUNCTION purge_dead(at_most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    purged bigint;
BEGIN
    DELETE FROM delivery WHERE id IN (
        SELECT id FROM delivery
        WHERE state = 'dead' AND settled_at < now() - interval '90 days' AND is_passed
        ORDER BY settled_at
        LIMIT at_most
    );
    GET DIAGNOSTICS purged = ROW_COUNT;
    RETURN purged;
END $$;

-- The unfinished deliveries, by function, lane and kind. Counting them costs more the more there are, so a count is kept for
-- twenty times as long as it took. Monitors then take a twentieth of a processor at most, and counts of few are fresh.
CREATE OR REPLACE FUNCTION measure_backlog() RETURNS TABLE (
    consumer text, lane text, kind text, ready bigint, blocked bigint, running bigint, retrying bigint, parked bigint,
    dead bigint, oldest_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    last measured;
    begun timestamptz;
BEGIN
    SELECT * INTO last FROM measured;
    -- One call counts at a time. Others show the last count; they wait only for the very first one.
    IF last.at IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('events.measure', 0));
        SELECT * INTO last FROM measured;
    END IF;
    IF last.at IS NULL OR last.at + 20 * last.took < clock_timestamp()
        AND pg_try_advisory_xact_lock(hashtextextended('events.measure', 0))
    THEN
        begun := clock_timestamp();
        SELECT coalesce(jsonb_agg(counted), '[]') INTO last.backlog
        FROM (
            SELECT delivery.consumer, delivery.lane, delivery.kind,
                count(*) FILTER (WHERE state = 'ready') AS ready,
                count(*) FILTER (WHERE state = 'blocked') AS blocked,
                count(*) FILTER (WHERE state = 'running') AS running,
                count(*) FILTER (WHERE state = 'retrying') AS retrying,
                count(*) FILTER (WHERE state = 'parked') AS parked,
                count(*) FILTER (WHERE state = 'dead') AS dead,
                min(created_at) FILTER (WHERE state NOT IN ('dead', 'parked')) AS oldest_at
            FROM delivery
            GROUP BY delivery.consumer, delivery.lane, delivery.kind
            ORDER BY delivery.consumer, delivery.lane, delivery.kind
        ) AS counted;
        INSERT INTO measured (at, took, backlog)
        VALUES (clock_timestamp(), clock_timestamp() - begun, last.backlog)
        ON CONFLICT (is_only) DO UPDATE SET at = excluded.at, took = excluded.took, backlog = excluded.backlog;
    END IF;
    RETURN QUERY SELECT it.* FROM jsonb_to_recordset(last.backlog) AS it (
        consumer text, lane text, kind text, ready bigint, blocked bigint, running bigint, retrying bigint,
        parked bigint, dead bigint, oldest_at timestamptz
    );
END $$;

REVOKE ALL ON FUNCTION state_in_line, requeue, requeue_dead, discard, unpark, park_kind, pause_lanes, resume_lanes,
    keep_days, purge_dead, is_told, measure_backlog FROM PUBLIC;
-- Roles that are no consumer free nothing by this.
GRANT EXECUTE ON FUNCTION release_parked TO PUBLIC;
GRANT EXECUTE ON FUNCTION requeue, requeue_dead, discard, unpark, park_kind, pause_lanes, resume_lanes, keep_days,
    purge_dead, is_told, measure_backlog TO wharf_jobs;
-- Deliveries are shown by `entry`, without what letters say.
REVOKE ALL ON delivery FROM wharf_jobs;
GRANT SELECT ON kind, producer, subscription, lane, lane_rule, failure TO wharf_jobs;
GRANT SELECT, INSERT, DELETE ON pause TO wharf_jobs;
-- Programs that announce an event choose its id, so that it is written once.
GRANT INSERT (id) ON outbox TO wharf_jobs;
