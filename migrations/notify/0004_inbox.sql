-- What people were told, as the console shows it. Letters with a code in them are never here.
CREATE TABLE inbox (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    uuid NOT NULL,
    -- The event that tells it: one that comes twice is here once.
    event      uuid NOT NULL,
    template   text NOT NULL,
    params     jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    read_at    timestamptz,
    CONSTRAINT inbox_once UNIQUE (event)
);

CREATE INDEX inbox_of_user ON inbox (user_id, id);
CREATE INDEX inbox_unread ON inbox (user_id) WHERE read_at IS NULL;
CREATE INDEX inbox_age ON inbox (created_at);
