-- The next moment at which it is that time of day in a time zone.
CREATE OR REPLACE FUNCTION next_at(zone text, clock time, since timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (
    (since AT TIME ZONE zone)::date + ((since AT TIME ZONE zone)::time >= clock)::int + clock
) AT TIME ZONE zone;

-- When the quiet hours end that a moment falls into; null outside of them. They may pass midnight.
CREATE OR REPLACE FUNCTION quiet_end(it preference, moment timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN CASE
    WHEN ((moment AT TIME ZONE it.time_zone)::time >= it.quiet_from)::int
        + ((moment AT TIME ZONE it.time_zone)::time < it.quiet_until)::int
        + (it.quiet_from > it.quiet_until)::int = 2
    THEN next_at(it.time_zone, it.quiet_until, moment)
END;

-- Saves the preferences of a person. Without a digest any more, the notices that wait for it are sent now.
CREATE OR REPLACE FUNCTION save_preferences(
    of_user uuid, new_language text, by_telegram bool, by_email bool, by_webhook bool, new_time_zone text,
    new_quiet_from time, new_quiet_until time, new_digest_at time
) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO preference AS it (
        user_id, language, telegram, email, webhook, time_zone, quiet_from, quiet_until, digest_at, digest_due_at
    )
    VALUES (
        of_user, new_language, by_telegram, by_email, by_webhook, new_time_zone, new_quiet_from, new_quiet_until,
        new_digest_at, next_at(new_time_zone, new_digest_at, now())
    )
    ON CONFLICT (user_id) DO UPDATE SET
        language = excluded.language,
        telegram = excluded.telegram,
        email = excluded.email,
        webhook = excluded.webhook,
        time_zone = excluded.time_zone,
        quiet_from = excluded.quiet_from,
        quiet_until = excluded.quiet_until,
        digest_at = excluded.digest_at,
        digest_due_at = CASE
            -- A digest that is due already is not delayed by a day.
            WHEN it.digest_due_at <= now() OR excluded.digest_at IS NULL AND it.digest_due_at IS NOT NULL THEN now()
            ELSE excluded.digest_due_at
        END,
        updated_at = now();
    -- Without hours no statement above uses the time zone, so it is checked here.
    PERFORM now() AT TIME ZONE new_time_zone;
    RETURN 'saved';
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'unknown_time_zone';
END $$;
