-- The consecutive failures of a lane, after `failed` more.
CREATE OR REPLACE FUNCTION failures_after(before int, rests_until timestamptz, failed int) RETURNS int
LANGUAGE sql STABLE
RETURN CASE
    WHEN NOT is_broken(before) THEN least(before + failed, 10)
    WHEN rests_until > clock_timestamp() THEN before
    ELSE least(before + 1, 16)
END;

CREATE OR REPLACE FUNCTION rest_after(failures int) RETURNS interval
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN is_broken(failures) THEN least(60, power(2, failures - 10)) ELSE 0 END * interval '1 second';

-- Records the outcomes of deliveries: 'done'; 'dead', not tried again by itself; 'again' after a pause; 'later', the same
-- without counting as an attempt; 'parked' until `unpark`. `rest_ms` lets the whole lane rest. Events that follow are written
-- in the same statement. Answers the deliveries that were settled: not those whose claim was lost meanwhile.
CREATE OR REPLACE FUNCTION settle_deliveries(settlements jsonb) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    settled bigint[];
BEGIN
    WITH wanted AS (
        SELECT * FROM jsonb_to_recordset(settlements) AS it (
            delivery bigint, fence bigint, outcome text, pause_ms bigint, error text, parked_for text
        )
    ), changed AS (
        UPDATE delivery SET
            state = CASE wanted.outcome WHEN 'again' THEN 'retrying' WHEN 'later' THEN 'retrying' ELSE wanted.outcome END,
            due_at = CASE
                WHEN wanted.outcome IN ('again', 'later')
                    THEN clock_timestamp() + wanted.pause_ms * interval '1 millisecond'
                ELSE delivery.due_at
            END,
            attempts = delivery.attempts + (wanted.outcome NOT IN ('later', 'parked'))::int,
            unsettled = 0,
            last_error = coalesce(wanted.error, delivery.last_error),
            parked_for = CASE wanted.outcome WHEN 'parked' THEN wanted.parked_for END,
            payload = CASE
                WHEN wanted.outcome = 'done' AND jsonb_typeof(delivery.payload) = 'object' THEN delivery.payload - coalesce((
                    SELECT subscription.forgets FROM subscription
                    WHERE subscription.kind = delivery.kind AND subscription.consumer = delivery.consumer
                ), '{}')
                ELSE delivery.payload
            END,
            settled_at = CASE WHEN wanted.outcome IN ('done', 'dead') THEN clock_timestamp() END
        FROM wanted
        -- Written so that the planner has to find rows by their ids, even when it expects an empty table.
        WHERE delivery.id = ANY (ARRAY[wanted.delivery]) AND delivery.fence = wanted.fence
            AND delivery.state || '' = 'running' AND delivery.consumer || '' = consumer()
        RETURNING delivery.id, delivery.event, delivery.consumer, delivery.attempts, wanted.error
    ), failed AS (
        INSERT INTO failure (event, consumer, attempt, failed_at, error)
        SELECT changed.event, changed.consumer, changed.attempts, clock_timestamp(), changed.error
        FROM changed WHERE changed.error IS NOT NULL
    )
    SELECT array_agg(changed.id) INTO settled FROM changed;

    INSERT INTO outbox (kind, aggregate, payload, not_before, expires_at, request_id, traceparent)
    SELECT next.kind, next.aggregate, next.payload, next.not_before, delivery.expires_at, delivery.request_id,
        delivery.traceparent
    FROM jsonb_to_recordset(settlements) AS it (delivery bigint, follows jsonb)
    JOIN delivery ON delivery.id = ANY (ARRAY[it.delivery])
    CROSS JOIN LATERAL jsonb_to_recordset(it.follows) AS next (
        kind text, aggregate text, payload jsonb, not_before timestamptz
    )
    WHERE it.delivery = ANY (settled);

    UPDATE lane
    SET not_before = greatest(lane.not_before, clock_timestamp() + rest.ms * interval '1 millisecond')
    FROM (
        SELECT delivery.consumer, delivery.lane, max(it.rest_ms) AS ms
        FROM jsonb_to_recordset(settlements) AS it (delivery bigint, rest_ms bigint)
        JOIN delivery ON delivery.id = ANY (ARRAY[it.delivery])
        WHERE it.rest_ms > 0 AND it.delivery = ANY (settled)
        GROUP BY delivery.consumer, delivery.lane
    ) AS rest
    WHERE lane.consumer = ANY (ARRAY[rest.consumer]) AND lane.name = ANY (ARRAY[rest.lane]);

    -- Consecutive failures of a lane whose deliveries have one receiver. It rests for one second, then two, up to a minute.
    -- Deliveries that were under way when it broke fail for the same reason and do not make the rest longer.
    UPDATE lane SET
        failures = CASE WHEN ended.worked THEN 0 ELSE failures_after(lane.failures, lane.not_before, ended.failed) END,
        not_before = CASE
            WHEN ended.worked OR is_broken(lane.failures) AND lane.not_before > clock_timestamp() THEN lane.not_before
            ELSE greatest(lane.not_before,
                clock_timestamp() + rest_after(failures_after(lane.failures, lane.not_before, ended.failed)))
        END
    FROM (
        SELECT delivery.consumer, delivery.lane, bool_or(it.outcome = 'done') AS worked,
            count(*) FILTER (WHERE it.outcome = 'again')::int AS failed
        FROM jsonb_to_recordset(settlements) AS it (delivery bigint, outcome text)
        JOIN delivery ON delivery.id = ANY (ARRAY[it.delivery])
        WHERE it.outcome IN ('done', 'again') AND it.delivery = ANY (settled)
        GROUP BY delivery.consumer, delivery.lane
    ) AS ended
    WHERE lane.consumer = ANY (ARRAY[ended.consumer]) AND lane.name = ANY (ARRAY[ended.lane]) AND lane.breaks
        AND (ended.failed > 0 AND NOT ended.worked OR ended.worked AND lane.failures > 0);

    RETURN QUERY SELECT unnest(settled);
END $$;

REVOKE ALL ON FUNCTION failures_after, rest_after FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settle_deliveries TO PUBLIC;

-- For copies of the release before: they settle deliveries that they had claimed before the tables changed.
CREATE OR REPLACE FUNCTION settle(
    event uuid, with_fence bigint, outcome text, pause_ms bigint, error text, follows jsonb
) RETURNS bool
LANGUAGE sql SECURITY DEFINER SET search_path = events, pg_temp AS $$
    SELECT count(*) > 0
    FROM delivery
    CROSS JOIN LATERAL settle_deliveries(jsonb_build_array(jsonb_build_object(
        'delivery', delivery.id, 'fence', with_fence, 'outcome', outcome, 'pause_ms', pause_ms, 'error', error,
        'follows', follows
    )))
    WHERE delivery.event = settle.event AND delivery.consumer = consumer()
$$;
