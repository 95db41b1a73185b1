-- What happened, until whoever has to know knows.
--
-- A function that changes something others must hear of writes an event with the
-- same statement: INSERT INTO events.outbox (kind, aggregate, payload). Nobody but
-- the relay reads it (0002_relay.sql).

-- Which function an event is for, by the first word of its kind: the function that drains events of its
-- own, and jobs for all that concerns others. A later migration may replace this function: events that
-- are written from then on go by the new rule.
CREATE FUNCTION consumer_of(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE split_part(kind, ':', 1)
    WHEN 'notify' THEN 'notify'
    WHEN 'deliver' THEN 'notify'
    WHEN 'telegram' THEN 'notify'
    WHEN 'bookings' THEN 'bookings'
    ELSE 'jobs'
END;

CREATE TABLE outbox (
    -- Consumers know an event that comes twice by its id.
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- The order of events of one aggregate. Drawn before the commit, so whoever writes
    -- two of them in an order that matters holds a lock on the aggregate meanwhile.
    seq        bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT outbox_seq UNIQUE,
    -- As `user:created`, `payment:approved`, `notify`.
    kind       text NOT NULL CONSTRAINT outbox_kind CHECK (kind ~ '^[a-z][a-z0-9_.:-]{0,63}$'),
    -- What it happened to, as `booking:17`: its events are delivered one after another.
    aggregate  text NOT NULL CONSTRAINT outbox_aggregate CHECK (length(aggregate) BETWEEN 1 AND 200),
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    consumer   text NOT NULL GENERATED ALWAYS AS (consumer_of(kind)) STORED,
    state      text NOT NULL DEFAULT 'waiting'
                   CONSTRAINT outbox_state CHECK (state IN ('waiting', 'done', 'dead')),
    -- When it may be claimed. A claim moves it to the end of the lease, so what a worker
    -- dropped comes up again by itself; what cannot go yet stands aside until then.
    due_at     timestamptz NOT NULL DEFAULT now(),
    -- Attempts that ended, since it was written or requeued; too many of them and it is dead.
    attempts   int NOT NULL DEFAULT 0,
    -- Claims in a row that nobody settled. More than none and past its lease: whoever had it
    -- is gone, and it may have been the reason.
    unsettled  int NOT NULL DEFAULT 0,
    -- Grows with every claim and never shrinks: who comes with an older one is too late.
    fence      bigint NOT NULL DEFAULT 0,
    settled_at timestamptz
);

CREATE INDEX outbox_due ON outbox (consumer, due_at, seq) WHERE state = 'waiting';
CREATE INDEX outbox_order ON outbox (consumer, aggregate, seq) WHERE state = 'waiting';
CREATE INDEX outbox_dead ON outbox (seq) WHERE state = 'dead';
-- Who is told of on Redis as well.
CREATE INDEX outbox_user ON outbox (aggregate) WHERE kind IN ('user:created', 'user:updated');
CREATE INDEX outbox_settled ON outbox (settled_at) WHERE state = 'done';

-- Every function tells. The database is the platform's alone, and a function that comes
-- with a later release finds its right here already.
REVOKE ALL ON outbox FROM wharf_events;
GRANT USAGE ON SCHEMA events TO PUBLIC;
GRANT INSERT (kind, aggregate, payload) ON outbox TO PUBLIC;
