-- How events reach their consumers: claimed, carried out, settled.
--
-- A consumer is the function whose role asks: `wharf_notify` is handed events for
-- `notify` and no others, and can settle nothing else. Both functions may be called
-- by any number of copies at any time. The rules of patience (how long until the
-- next attempt, how many there are) are the relay's, in components/kit/src/relay.rs.

-- What went wrong, attempt by attempt.
CREATE TABLE failure (
    event     uuid NOT NULL REFERENCES outbox ON DELETE CASCADE,
    fence     bigint NOT NULL,
    attempt   int NOT NULL,
    failed_at timestamptz NOT NULL DEFAULT now(),
    error     text NOT NULL,
    PRIMARY KEY (event, fence)
);

-- Kinds that nobody is handed until somebody lifts it.
CREATE TABLE pause (
    kind      text PRIMARY KEY,
    paused_by uuid NOT NULL,
    paused_at timestamptz NOT NULL DEFAULT now()
);

-- An event as people look at it: times as milliseconds.
CREATE VIEW entry AS
SELECT
    id,
    seq,
    kind,
    aggregate,
    consumer,
    state,
    attempts,
    (extract(epoch FROM due_at) * 1000)::bigint AS due_at,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM settled_at) * 1000)::bigint AS settled_at,
    payload,
    (SELECT error FROM failure WHERE event = outbox.id ORDER BY fence DESC LIMIT 1) AS last_error
FROM outbox;

CREATE FUNCTION consumer() RETURNS text
LANGUAGE sql STABLE
RETURN substr(session_user::text, length('wharf_') + 1);

-- The earliest event of an aggregate that waits.
CREATE FUNCTION head(of_consumer text, of_aggregate text) RETURNS uuid
LANGUAGE sql STABLE
RETURN (
    SELECT id FROM events.outbox
    WHERE consumer = of_consumer AND aggregate = of_aggregate AND state = 'waiting'
    ORDER BY seq
    LIMIT 1
);

-- How long stands aside what waits for another event or for the end of a pause. It is called back as
-- soon as it may go; this is for when whoever should have called it was killed before.
CREATE FUNCTION aside() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN now() + interval '10 minutes';

CREATE TYPE claimed AS (
    id uuid, seq bigint, fence bigint, kind text, aggregate text, payload jsonb, attempts int, unsettled int,
    created_at timestamptz
);

-- Hands out what is due: of each aggregate only the earliest event that waits, so that a
-- later one is never begun before an earlier one is settled. Until the lease ends nobody
-- else is handed the same. What is due and cannot go steps aside, so that the next claim
-- need not walk over it.
CREATE FUNCTION claim(at_most int, lease_ms int) RETURNS SETOF claimed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp
-- The index has them in order. A plan made while the outbox was empty would read and sort
-- the whole backlog, each time.
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    me text := consumer();
    room int := at_most;
    -- How many rows are looked at: more and more, where hardly any of them can go.
    span int := at_most;
    walked int;
    ready uuid[];
    halted uuid[];
    followers uuid[];
    heads uuid[];
    handed int;
    stepped int;
    stopped int;
BEGIN
    LOOP
        WITH due AS MATERIALIZED (
            SELECT event.id, event.kind, event.aggregate
            FROM outbox event
            WHERE event.consumer = me AND event.state = 'waiting' AND event.due_at <= now() AND event.unsettled = 0
            ORDER BY event.due_at, event.seq
            LIMIT span
            -- Whoever waited here would find a row that is no longer due; others take other rows.
            FOR NO KEY UPDATE OF event SKIP LOCKED
        ), judged AS (
            SELECT due.id, head(me, due.aggregate) AS head,
                EXISTS (SELECT FROM pause WHERE pause.kind = due.kind) AS is_halted
            FROM due
        )
        SELECT count(*),
            array_agg(it.id) FILTER (WHERE it.id = it.head AND NOT it.is_halted),
            array_agg(it.id) FILTER (WHERE it.is_halted),
            array_agg(it.id) FILTER (WHERE it.id <> it.head AND NOT it.is_halted),
            array_agg(it.head) FILTER (WHERE it.id <> it.head AND NOT it.is_halted)
        INTO walked, ready, halted, followers, heads
        FROM judged it;

        RETURN QUERY
        WITH handed_out AS (
            UPDATE outbox
            SET due_at = now() + lease_ms * interval '1 millisecond', unsettled = 1, fence = outbox.fence + 1
            WHERE outbox.id = ANY (ready[1:room])
            RETURNING outbox.*
        )
        SELECT it.id, it.seq, it.fence, it.kind, it.aggregate, it.payload, it.attempts, it.unsettled, it.created_at
        FROM handed_out it;
        GET DIAGNOSTICS handed = ROW_COUNT;
        stepped := 0;
        stopped := 0;

        IF followers IS NOT NULL THEN
            -- Whoever settles the earlier event calls the next one back, and has to wait for this lock
            -- to do it: nothing steps aside for an event that is settled already.
            WITH standing AS MATERIALIZED (
                SELECT it.id FROM outbox it WHERE it.id = ANY (heads) AND it.state = 'waiting'
                FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE outbox SET due_at = aside()
            FROM unnest(followers, heads) AS pair (follower, head)
            WHERE outbox.id = pair.follower AND pair.head IN (SELECT id FROM standing);
            GET DIAGNOSTICS stepped = ROW_COUNT;
        END IF;
        IF halted IS NOT NULL THEN
            -- Whoever resumes the kind waits for this lock in the same way.
            WITH standing AS MATERIALIZED (
                SELECT pause.kind FROM pause FOR SHARE SKIP LOCKED
            )
            UPDATE outbox SET due_at = aside()
            WHERE outbox.id = ANY (halted) AND outbox.kind IN (SELECT kind FROM standing);
            GET DIAGNOSTICS stopped = ROW_COUNT;
        END IF;
        room := room - handed;
        EXIT WHEN walked < span OR room <= at_most / 2 OR handed + stepped + stopped = 0;
        span := span * 2;
    END LOOP;
END $$;

-- Hands out one event that somebody took and never settled: alone, because whoever took it
-- may have died of it; and each time for longer, because then it should not come often.
CREATE FUNCTION reclaim(lease_ms int) RETURNS SETOF claimed
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    me text := consumer();
BEGIN
    RETURN QUERY
    WITH dropped AS (
        SELECT event.id
        FROM outbox event
        WHERE event.consumer = me AND event.state = 'waiting' AND event.due_at <= now() AND event.unsettled > 0
            AND event.id = head(me, event.aggregate)
            AND NOT EXISTS (SELECT FROM pause WHERE pause.kind = event.kind)
        ORDER BY event.due_at, event.seq
        LIMIT 1
        FOR NO KEY UPDATE OF event SKIP LOCKED
    ), handed_out AS (
        UPDATE outbox
        SET due_at = now() + lease_ms * interval '1 millisecond' * power(2, least(outbox.unsettled, 6)),
            unsettled = outbox.unsettled + 1,
            fence = outbox.fence + 1
        FROM dropped
        WHERE outbox.id = dropped.id
        RETURNING outbox.*
    )
    SELECT it.id, it.seq, it.fence, it.kind, it.aggregate, it.payload, it.attempts, it.unsettled, it.created_at
    FROM handed_out it;
END $$;

-- Says what came of a claim: 'done'; 'dead', never to be tried again by itself; 'again'
-- and 'later' after a pause, 'later' without its counting as an attempt. What follows from
-- it (more events) is written with it or not at all. Answers false to whoever lost the
-- claim meanwhile: then nothing changed.
CREATE FUNCTION settle(
    event uuid, with_fence bigint, outcome text, pause_ms bigint, error text, follows jsonb
) RETURNS bool
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
DECLARE
    it outbox;
BEGIN
    UPDATE outbox SET
        state = CASE WHEN outcome IN ('again', 'later') THEN 'waiting' ELSE outcome END,
        due_at = CASE
            WHEN outcome IN ('again', 'later') THEN now() + pause_ms * interval '1 millisecond'
            ELSE due_at
        END,
        attempts = CASE WHEN outcome = 'later' THEN attempts ELSE attempts + 1 END,
        unsettled = 0,
        -- What was written to people, and the codes in it, is kept no longer than it takes.
        payload = CASE
            WHEN outcome = 'done' AND consumer = 'notify' AND jsonb_typeof(payload) = 'object'
                THEN payload - ARRAY['params', 'subject', 'text', 'body']
            ELSE payload
        END,
        settled_at = CASE WHEN outcome IN ('done', 'dead') THEN now() END
    WHERE id = event AND fence = with_fence AND state = 'waiting' AND consumer = consumer()
    RETURNING * INTO it;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF error IS NOT NULL THEN
        INSERT INTO failure (event, fence, attempt, error) VALUES (event, with_fence, it.attempts, error);
    END IF;
    INSERT INTO outbox (kind, aggregate, payload)
    SELECT follower.kind, follower.aggregate, follower.payload
    FROM jsonb_to_recordset(follows) AS follower (kind text, aggregate text, payload jsonb);
    IF it.state <> 'waiting' THEN
        -- The next of the aggregate may have stepped aside.
        UPDATE outbox SET due_at = now()
        WHERE id = head(it.consumer, it.aggregate) AND due_at > now() AND unsettled = 0;
    END IF;
    RETURN true;
END $$;

REVOKE ALL ON failure, pause, entry FROM wharf_events;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA events FROM PUBLIC;
-- A generated column is computed with the rights of whoever inserts.
GRANT EXECUTE ON FUNCTION consumer_of TO PUBLIC;
-- Harmless to others: nothing has them as its consumer.
GRANT EXECUTE ON FUNCTION claim, reclaim, settle TO PUBLIC;

-- jobs is where people look after the queue.
GRANT SELECT, DELETE ON outbox TO wharf_jobs;
GRANT UPDATE (state, due_at, attempts, settled_at) ON outbox TO wharf_jobs;
GRANT SELECT ON failure, entry TO wharf_jobs;
GRANT INSERT ON failure TO wharf_jobs;
GRANT SELECT, INSERT, DELETE ON pause TO wharf_jobs;
