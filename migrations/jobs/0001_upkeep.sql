-- What jobs keeps for itself: when which sweep is due, and what it heard on Redis.

-- A sweep is run by one copy per period, whichever comes first.
CREATE TABLE sweep (
    name   text PRIMARY KEY,
    due_at timestamptz NOT NULL
);

-- Every copy of the host hears every message of Redis; the first one takes it.
CREATE TABLE heard (
    digest   text PRIMARY KEY,
    heard_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX heard_at ON heard (heard_at);
