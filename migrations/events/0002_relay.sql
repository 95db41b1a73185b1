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

-- Hands out what is due: of each aggregate only the earliest event that waits, so that a
-- later one is never begun before an earlier one is settled. Until the lease ends nobody
-- else is handed the same.
CREATE FUNCTION claim(at_most int, lease_ms int)
RETURNS TABLE (
    id uuid, seq bigint, fence bigint, kind text, aggregate text, payload jsonb, attempts int,
    created_at timestamptz
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp
-- The index has them in order. A plan made while the outbox was empty would read and sort
-- the whole backlog, each time.
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
    me text := consumer();
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT event.id
        FROM outbox event
        WHERE event.consumer = me AND event.state = 'waiting' AND event.due_at <= now()
            AND NOT EXISTS (SELECT FROM pause WHERE pause.kind = event.kind)
            AND event.seq = (
                SELECT min(earliest.seq) FROM outbox earliest
                WHERE earliest.consumer = me AND earliest.aggregate = event.aggregate
                    AND earliest.state = 'waiting'
            )
        ORDER BY event.due_at, event.seq
        LIMIT at_most
        -- Whoever waited here would find a row that is no longer due; others take other rows.
        FOR NO KEY UPDATE OF event SKIP LOCKED
    ), claimed AS (
        UPDATE outbox
        SET due_at = now() + lease_ms * interval '1 millisecond',
            attempts = outbox.attempts + 1,
            fence = outbox.fence + 1
        FROM due
        WHERE outbox.id = due.id
        RETURNING outbox.*
    )
    SELECT it.id, it.seq, it.fence, it.kind, it.aggregate, it.payload, it.attempts, it.created_at
    FROM claimed it
    ORDER BY it.seq;
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
    attempt int;
BEGIN
    UPDATE outbox SET
        state = CASE WHEN outcome IN ('again', 'later') THEN 'waiting' ELSE outcome END,
        due_at = CASE
            WHEN outcome IN ('again', 'later') THEN now() + pause_ms * interval '1 millisecond'
            ELSE due_at
        END,
        attempts = CASE WHEN outcome = 'later' THEN attempts - 1 ELSE attempts END,
        -- What was written to people, and the codes in it, is kept no longer than it takes.
        payload = CASE
            WHEN outcome = 'done' AND consumer = 'notify' AND jsonb_typeof(payload) = 'object'
                THEN payload - ARRAY['params', 'subject', 'text', 'body']
            ELSE payload
        END,
        settled_at = CASE WHEN outcome IN ('done', 'dead') THEN now() END
    WHERE id = event AND fence = with_fence AND state = 'waiting' AND consumer = consumer()
    RETURNING attempts INTO attempt;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF error IS NOT NULL THEN
        INSERT INTO failure (event, fence, attempt, error) VALUES (event, with_fence, attempt, error);
    END IF;
    INSERT INTO outbox (kind, aggregate, payload)
    SELECT it.kind, it.aggregate, it.payload
    FROM jsonb_to_recordset(follows) AS it (kind text, aggregate text, payload jsonb);
    RETURN true;
END $$;

REVOKE ALL ON failure, pause, entry FROM wharf_events;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA events FROM PUBLIC;
-- A generated column is computed with the rights of whoever inserts.
GRANT EXECUTE ON FUNCTION consumer_of TO PUBLIC;
-- Harmless to others: nothing has them as its consumer.
GRANT EXECUTE ON FUNCTION claim, settle TO PUBLIC;

-- jobs is where people look after the queue.
GRANT SELECT, DELETE ON outbox TO wharf_jobs;
GRANT UPDATE (state, due_at, attempts, settled_at) ON outbox TO wharf_jobs;
GRANT SELECT ON failure, entry TO wharf_jobs;
GRANT SELECT, INSERT, DELETE ON pause TO wharf_jobs;
