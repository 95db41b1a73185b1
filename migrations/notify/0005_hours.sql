-- When a person wants to be told.
ALTER TABLE preference
    ADD time_zone text NOT NULL DEFAULT 'UTC',
    -- Messages and e-mails wait in these hours of the day.
    ADD quiet_from time,
    ADD quiet_until time,
    -- The e-mails of a day become one, at this time.
    ADD digest_at time,
    ADD digest_due_at timestamptz,
    ADD CONSTRAINT preference_quiet_hours CHECK ((quiet_from IS NULL) = (quiet_until IS NULL));

CREATE INDEX preference_digest ON preference (digest_due_at) WHERE digest_due_at IS NOT NULL;

-- The next digest tells of it.
ALTER TABLE inbox ADD waits_for_digest bool NOT NULL DEFAULT false;

CREATE INDEX inbox_digest ON inbox (user_id, id) WHERE waits_for_digest;
