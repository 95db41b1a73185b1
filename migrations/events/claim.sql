-- How deliveries reach their consumers: routed, claimed, carried out, settled.
--
-- A consumer is the function whose role asks: `wharf_notify` is handed deliveries for `notify` and no others, and can
-- settle nothing else. Any number of copies may call these at any time. The backoff (how long until the next attempt, how
-- many attempts) is decided by the relay, in components/kit/src/store/relay.rs.

-- The state that a delivery gets when it becomes the head of its line. `route` repeats this in its statements, because a
-- function that reads a table would be planned again each time.
CREATE OR REPLACE FUNCTION state_of_head(of_kind text, from_then timestamptz) RETURNS text
LANGUAGE sql STABLE
RETURN CASE
    WHEN EXISTS (SELECT FROM events.pause WHERE pause.kind = of_kind) THEN 'parked'
    WHEN from_then > clock_timestamp() THEN 'retrying'
    ELSE 'ready'
END;

-- Makes the next claim look at these lanes. It waits for claims that have just found one of them empty. Lanes are looked up
-- one by one: every webhook has one, and a join could read all of them.
CREATE OR REPLACE FUNCTION wake_lanes(consumers text[], names text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM (SELECT it.* FROM unnest(consumers, names) AS it (consumer, name) ORDER BY it.consumer, it.name) AS it
    CROSS JOIN LATERAL (
        SELECT FROM lane WHERE lane.consumer = it.consumer AND lane.name = it.name FOR NO KEY UPDATE
    ) AS held;
    UPDATE lane SET wake_at = greatest(clock_timestamp(), lane.not_before)
    FROM unnest(consumers, names) AS it (consumer, name)
    WHERE lane.consumer = ANY (ARRAY[it.consumer]) AND lane.name = ANY (ARRAY[it.name])
        AND (lane.wake_at IS NULL OR lane.wake_at > clock_timestamp())
        AND lane.paused_by IS NULL;
END $$;

-- The lock of all lines: every change of a line's head takes it, so only one call at a time makes heads.
CREATE OR REPLACE FUNCTION lock_lines() RETURNS void
LANGUAGE sql
RETURN pg_advisory_xact_lock(hashtextextended('events.route', 0));

DROP FUNCTION IF EXISTS is_anything_to_route();

-- Brings lines up to date: archives finished deliveries and frees the next one of their line, makes failed deliveries ready
-- that are due, and turns new events into deliveries. At most `at_most` of each, urgent lanes first.
CREATE OR REPLACE FUNCTION route(at_most int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp
-- Planning a statement costs as much as running it, so each is planned once, perhaps while the tables are empty. A plan that
-- is cheapest then may later read the whole backlog. So every statement here leaves the planner one choice only: rows are
-- found by a list of ids, by their place, or one by one behind LATERAL and LIMIT.
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    consumers text[];
    names text[];
BEGIN
    IF NOT (
        EXISTS (SELECT FROM outbox)
        OR EXISTS (SELECT FROM delivery WHERE state = 'done' OR state = 'dead' AND NOT is_passed)
        OR EXISTS (SELECT FROM delivery WHERE state = 'retrying' AND due_at <= now())
    ) THEN
        RETURN;
    END IF;
    PERFORM lock_lines();

    WITH passed AS MATERIALIZED (
        SELECT delivery.id, delivery.state FROM delivery
        WHERE delivery.state = 'done' OR delivery.state = 'dead' AND NOT delivery.is_passed
        ORDER BY delivery.id
        LIMIT at_most
    ), done AS (
        DELETE FROM delivery
        WHERE delivery.id = ANY (ARRAY(SELECT passed.id FROM passed WHERE passed.state = 'done'))
        RETURNING delivery.*
    ), dead AS (
        UPDATE delivery SET is_passed = true
        WHERE delivery.id = ANY (ARRAY(SELECT passed.id FROM passed WHERE passed.state = 'dead'))
        RETURNING delivery.*
    ), archived AS (
        INSERT INTO archive (event, seq, kind, aggregate, payload, created_at, request_id, consumer, lane, attempts,
            fence, last_error, settled_at)
        SELECT event, seq, kind, aggregate, payload, created_at, request_id, consumer, lane, attempts, fence,
            last_error, settled_at
        FROM done
    ), line AS (
        SELECT consumer, lane, aggregate FROM done UNION SELECT consumer, lane, aggregate FROM dead
    ), next AS (
        SELECT first.id
        FROM line
        CROSS JOIN LATERAL (
            SELECT delivery.id FROM delivery
            WHERE delivery.consumer = line.consumer AND delivery.lane = line.lane
                AND delivery.aggregate = line.aggregate AND delivery.state = 'blocked'
            ORDER BY delivery.seq
            LIMIT 1
        ) AS first
        -- A dead letter that was requeued meanwhile may be the head.
        LEFT JOIN LATERAL (
            SELECT delivery.id FROM delivery
            WHERE delivery.consumer = line.consumer AND delivery.lane = line.lane
                AND delivery.aggregate = line.aggregate
                AND delivery.state IN ('ready', 'running', 'retrying', 'parked')
            LIMIT 1
        ) AS head ON true
        WHERE head.id IS NULL
    ), promoted AS (
        UPDATE delivery SET
            state = CASE
                WHEN EXISTS (SELECT FROM pause WHERE pause.kind = delivery.kind) THEN 'parked'
                WHEN delivery.not_before > clock_timestamp() THEN 'retrying'
                ELSE 'ready'
            END,
            due_at = greatest(clock_timestamp(), delivery.not_before),
            parked_for = (SELECT pause.kind FROM pause WHERE pause.kind = delivery.kind)
        WHERE delivery.id = ANY (ARRAY(SELECT next.id FROM next))
    )
    -- A lane that was full has room again.
    SELECT array_agg(line.consumer), array_agg(line.lane) INTO consumers, names
    FROM (SELECT DISTINCT line.consumer, line.lane FROM line) AS line;
    IF consumers IS NOT NULL THEN
        PERFORM wake_lanes(consumers, names);
    END IF;

    WITH due AS MATERIALIZED (
        SELECT delivery.id FROM delivery
        WHERE delivery.state = 'retrying' AND delivery.due_at <= now()
        ORDER BY delivery.due_at
        LIMIT at_most
    ), called_back AS (
        UPDATE delivery SET
            state = CASE WHEN EXISTS (SELECT FROM pause WHERE pause.kind = delivery.kind) THEN 'parked' ELSE 'ready' END,
            parked_for = (SELECT pause.kind FROM pause WHERE pause.kind = delivery.kind)
        WHERE delivery.id = ANY (ARRAY(SELECT due.id FROM due))
        RETURNING delivery.consumer, delivery.lane
    )
    SELECT array_agg(it.consumer), array_agg(it.lane) INTO consumers, names
    FROM (SELECT DISTINCT called_back.consumer, called_back.lane FROM called_back) AS it;
    IF consumers IS NOT NULL THEN
        PERFORM wake_lanes(consumers, names);
    END IF;

    WITH written AS MATERIALIZED (
        SELECT outbox.ctid AS place FROM outbox ORDER BY outbox.rank, outbox.seq LIMIT at_most
    ), taken AS (
        DELETE FROM outbox WHERE outbox.ctid = ANY (ARRAY(SELECT written.place FROM written))
        RETURNING outbox.*
    ), unheard AS (
        INSERT INTO archive (event, seq, kind, aggregate, payload, created_at, request_id, attempts, fence, settled_at)
        SELECT taken.id, taken.seq, taken.kind, taken.aggregate, taken.payload, taken.created_at, taken.request_id, 0, 0,
            clock_timestamp()
        FROM taken
        WHERE NOT EXISTS (SELECT FROM subscription WHERE subscription.kind = taken.kind)
    ), addressed AS (
        SELECT taken.*, subscription.consumer,
            subscription.lane || coalesce(':' || left(taken.payload ->> subscription.lane_key, 100), '') AS lane,
            subscription.lane AS rule, pause.kind IS NOT NULL AS is_paused
        FROM taken
        JOIN subscription ON subscription.kind = taken.kind
        LEFT JOIN pause ON pause.kind = taken.kind
    ), placed AS (
        SELECT addressed.*,
            CASE
                WHEN before.id IS NOT NULL OR row_number() OVER (
                    PARTITION BY addressed.consumer, addressed.lane, addressed.aggregate ORDER BY addressed.seq
                ) > 1 THEN 'blocked'
                WHEN addressed.is_paused THEN 'parked'
                WHEN addressed.not_before > clock_timestamp() THEN 'retrying'
                ELSE 'ready'
            END AS state
        FROM addressed
        LEFT JOIN LATERAL (
            (
                SELECT head.id FROM delivery AS head
                WHERE head.consumer = addressed.consumer AND head.lane = addressed.lane
                    AND head.aggregate = addressed.aggregate
                    AND head.state IN ('ready', 'running', 'retrying', 'parked')
                LIMIT 1
            )
            UNION ALL
            (
                SELECT earlier.id FROM delivery AS earlier
                WHERE earlier.consumer = addressed.consumer AND earlier.lane = addressed.lane
                    AND earlier.aggregate = addressed.aggregate AND earlier.state = 'blocked'
                LIMIT 1
            )
            LIMIT 1
        ) AS before ON true
    ), delivered AS (
        INSERT INTO delivery (event, seq, kind, aggregate, payload, created_at, not_before, expires_at, request_id,
            traceparent, consumer, lane, state, due_at, parked_for)
        SELECT placed.id, placed.seq, placed.kind, placed.aggregate, placed.payload, placed.created_at,
            placed.not_before, placed.expires_at, placed.request_id, placed.traceparent, placed.consumer, placed.lane,
            placed.state, greatest(clock_timestamp(), placed.not_before),
            CASE placed.state WHEN 'parked' THEN placed.kind END
        FROM placed
        ORDER BY placed.seq
    ), used AS (
        SELECT DISTINCT placed.consumer, placed.lane, placed.rule FROM placed
    ), opened AS (
        INSERT INTO lane (consumer, name, max_running, rank, breaks, wake_at)
        SELECT used.consumer, used.lane, coalesce(lane_rule.max_running, 64), coalesce(lane_rule.rank, 1::smallint),
            coalesce(lane_rule.breaks, false), clock_timestamp()
        FROM used
        LEFT JOIN lane_rule ON lane_rule.consumer = used.consumer AND lane_rule.name = used.rule
        ON CONFLICT (consumer, name) DO NOTHING
    )
    SELECT array_agg(used.consumer), array_agg(used.lane) INTO consumers, names FROM used;
    IF consumers IS NOT NULL THEN
        PERFORM wake_lanes(consumers, names);
    END IF;
END $$;

DO $$
BEGIN
    IF to_regtype('events.handed') IS NULL THEN
        CREATE TYPE events.handed AS (
            delivery bigint, id uuid, seq bigint, fence bigint, kind text, aggregate text, payload jsonb, attempts int,
            unsettled int, created_at timestamptz, request_id text, traceparent text, lane text, rank smallint
        );
    END IF;
END $$;

-- Whether a receiver failed so often in a row that its lane rests between attempts.
CREATE OR REPLACE FUNCTION is_broken(failures int) RETURNS bool
LANGUAGE sql IMMUTABLE
RETURN failures >= 10;

-- Hands out up to `at_most_urgent` deliveries of lanes of rank 0 and up to `at_most` of the others, within the limit in flight
-- of each lane. Until the lease ends no other worker gets the same deliveries. The cost depends on the deliveries that are
-- handed out, not on those that wait.
CREATE OR REPLACE FUNCTION claim_deliveries(at_most_urgent int, at_most int, lease_ms int) RETURNS SETOF handed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    me text := consumer();
    room int := at_most_urgent;
    looks int := 0;
    moment_of_look timestamptz;
    one lane;
    free int;
    picked bigint[];
    fit bigint[];
    stale bigint[];
BEGIN
    -- Not forced to disk: a claim that is lost in a crash of PostgreSQL never happened.
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM route(200);
    FOR of_rank IN 0..2 LOOP
        IF of_rank = 1 THEN
            room := at_most;
        END IF;
        LOOP
            EXIT WHEN room <= 0 OR looks >= 32;
            looks := looks + 1;
            -- Not `now()`: `route` has just woken lanes.
            moment_of_look := clock_timestamp();
            SELECT lane.* INTO one FROM lane
            WHERE lane.consumer = me AND lane.rank = of_rank AND lane.wake_at <= moment_of_look
            ORDER BY lane.wake_at
            LIMIT 1
            FOR NO KEY UPDATE SKIP LOCKED;
            EXIT WHEN NOT FOUND;
            IF one.not_before > moment_of_look THEN
                UPDATE lane SET wake_at = one.not_before WHERE lane.consumer = me AND lane.name = one.name;
                CONTINUE;
            END IF;
            -- A lane whose receiver keeps failing gets one delivery at a time.
            free := CASE WHEN is_broken(one.failures) THEN 1 ELSE one.max_running END - (
                SELECT count(*) FROM delivery
                WHERE delivery.consumer = me AND delivery.lane = one.name AND delivery.state = 'running'
                    AND delivery.due_at > clock_timestamp()
            );
            IF free <= 0 THEN
                -- `route` wakes a full lane when a delivery ends. This time is for deliveries that end without it.
                UPDATE lane SET wake_at = clock_timestamp() + interval '2 seconds' / one.max_running
                WHERE lane.consumer = me AND lane.name = one.name;
                CONTINUE;
            END IF;
            free := least(free, room);
            SELECT array_agg(it.id),
                array_agg(it.id) FILTER (WHERE NOT it.is_stale AND NOT it.is_paused),
                array_agg(it.id) FILTER (WHERE it.is_stale)
            INTO picked, fit, stale
            FROM (
                SELECT delivery.id, coalesce(delivery.expires_at <= clock_timestamp(), false) AS is_stale,
                    EXISTS (SELECT FROM pause WHERE pause.kind = delivery.kind) AS is_paused
                FROM delivery
                WHERE delivery.consumer = me AND delivery.lane = one.name AND delivery.state = 'ready'
                ORDER BY delivery.due_at, delivery.seq
                LIMIT free
                FOR NO KEY UPDATE OF delivery SKIP LOCKED
            ) AS it;
            IF cardinality(picked) > coalesce(cardinality(fit), 0) THEN
                UPDATE delivery SET state = 'dead', last_error = 'it expired before it could be delivered',
                    settled_at = clock_timestamp()
                WHERE delivery.id = ANY (stale);
                UPDATE delivery SET state = 'parked', parked_for = delivery.kind
                WHERE delivery.id = ANY (picked) AND delivery.id <> ALL (coalesce(stale, '{}'))
                    AND delivery.id <> ALL (coalesce(fit, '{}'));
            END IF;
            IF fit IS NOT NULL THEN
                RETURN QUERY
                WITH handed_out AS (
                    UPDATE delivery SET
                        state = 'running',
                        due_at = clock_timestamp() + lease_ms * interval '1 millisecond',
                        unsettled = 1,
                        fence = delivery.fence + 1
                    WHERE delivery.id = ANY (fit)
                    RETURNING delivery.*
                )
                SELECT it.id, it.event, it.seq, it.fence, it.kind, it.aggregate, it.payload, it.attempts, it.unsettled,
                    it.created_at, it.request_id, it.traceparent, it.lane, one.rank
                FROM handed_out AS it;
                room := room - cardinality(fit);
            END IF;
            -- Ends the turn of this lane: it goes behind the other lanes of its rank, or sleeps until something is ready.
            UPDATE lane SET wake_at = CASE WHEN cardinality(picked) = free THEN clock_timestamp() END
            WHERE lane.consumer = me AND lane.name = one.name;
        END LOOP;
    END LOOP;
END $$;

-- Hands out one delivery that was claimed and never settled: alone, because its worker may have died of it, and each
-- time for longer.
CREATE OR REPLACE FUNCTION reclaim_delivery(lease_ms int) RETURNS SETOF handed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    me text := consumer();
BEGIN
    RETURN QUERY
    WITH dropped AS (
        SELECT delivery.id FROM delivery
        WHERE delivery.consumer = me AND delivery.state = 'running' AND delivery.due_at <= clock_timestamp()
        ORDER BY delivery.due_at, delivery.seq
        LIMIT 1
        FOR NO KEY UPDATE SKIP LOCKED
    ), handed_out AS (
        UPDATE delivery SET
            due_at = clock_timestamp()
                + lease_ms * interval '1 millisecond' * power(2, least(delivery.unsettled, 6)),
            unsettled = delivery.unsettled + 1,
            fence = delivery.fence + 1
        FROM dropped
        WHERE delivery.id = dropped.id
        RETURNING delivery.*
    )
    SELECT it.id, it.event, it.seq, it.fence, it.kind, it.aggregate, it.payload, it.attempts, it.unsettled,
        it.created_at, it.request_id, it.traceparent, it.lane, 1::smallint
    FROM handed_out AS it;
END $$;

REVOKE ALL ON FUNCTION is_broken, state_of_head, wake_lanes, lock_lines, route FROM PUBLIC;
-- Roles that are no consumer get nothing from these.
GRANT EXECUTE ON FUNCTION claim_deliveries, reclaim_delivery TO PUBLIC;

-- Copies of the release before claim nothing: they do not know the events that their function hears now.
CREATE OR REPLACE FUNCTION claim(at_most int, lease_ms int) RETURNS SETOF claimed
LANGUAGE sql AS 'SELECT NULL::events.claimed WHERE false';

CREATE OR REPLACE FUNCTION reclaim(lease_ms int) RETURNS SETOF claimed
LANGUAGE sql AS 'SELECT NULL::events.claimed WHERE false';
