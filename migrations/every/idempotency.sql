-- Requests with an Idempotency-Key, and their answers: the same request sent again has one effect and gets the
-- same answer. A table in every schema, because a component writes only its own. Schemas that made it in a
-- numbered file keep it and get what is missing.
CREATE TABLE IF NOT EXISTS idempotency_key (
    caller uuid NOT NULL,
    key text NOT NULL,
    -- The hash of the body: the same key with another body is refused.
    fingerprint text NOT NULL,
    -- Null while the request runs.
    status int,
    body text,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);

-- Until when the running request has the key for itself; it renews the lease while it runs.
ALTER TABLE idempotency_key ADD COLUMN IF NOT EXISTS leased_until timestamptz;

-- Grows with every claim, so that a late copy neither finishes nor releases the claim of another.
ALTER TABLE idempotency_key ADD COLUMN IF NOT EXISTS fence bigint NOT NULL DEFAULT 1;

-- The answer's Location header.
ALTER TABLE idempotency_key ADD COLUMN IF NOT EXISTS location text;

-- Keys are deleted after a day, oldest first.
CREATE INDEX IF NOT EXISTS idempotency_key_age ON idempotency_key (claimed_at);
