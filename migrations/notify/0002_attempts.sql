-- The calls of webhooks, as their owners look at them.
CREATE TABLE attempt (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook  uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event    uuid NOT NULL,
    template text NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now(),
    -- Absent when no answer came.
    status   int,
    -- Absent when the webhook took the call.
    error    text,
    took_ms  bigint NOT NULL
);

CREATE INDEX attempt_of_webhook ON attempt (webhook, id);
CREATE INDEX attempt_age ON attempt (made_at);
