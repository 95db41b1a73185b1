-- Requests that may be sent again, and the answers they got.
CREATE TABLE idempotency_key (
    caller      uuid NOT NULL,
    key         text NOT NULL,
    fingerprint text NOT NULL,
    -- Null while the request runs.
    status      int,
    body        text,
    claimed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);

-- They are forgotten after a day.
CREATE INDEX idempotency_key_age ON idempotency_key (claimed_at);
