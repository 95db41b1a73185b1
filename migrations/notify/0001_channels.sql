-- How each person wants to be told, and where not to try any more.

CREATE TABLE preference (
    user_id    uuid PRIMARY KEY,
    language   text NOT NULL DEFAULT 'en'
                   CONSTRAINT preference_language CHECK (language IN ('en', 'ru', 'pt')),
    telegram   bool NOT NULL DEFAULT true,
    email      bool NOT NULL DEFAULT true,
    webhook    bool NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Chats that do not want to hear from the bot, or never spoke to it. Until they do.
CREATE TABLE silent_chat (
    chat   bigint PRIMARY KEY,
    reason text NOT NULL,
    since  timestamptz NOT NULL DEFAULT now()
);

-- Where a program of the user's is told (Standard Webhooks).
CREATE TABLE webhook (
    id               uuid PRIMARY KEY,
    owner            uuid NOT NULL,
    url              text NOT NULL CONSTRAINT webhook_url CHECK (length(url) BETWEEN 1 AND 2000),
    -- The templates it is told of; all when null.
    templates        text[],
    created_at       timestamptz NOT NULL DEFAULT now(),
    disabled_at      timestamptz,
    disabled_because text,
    -- It takes nothing since then, so it is left alone for a while, each time for longer.
    failing_since    timestamptz,
    failures         int NOT NULL DEFAULT 0,
    rests_until      timestamptz
);

CREATE INDEX webhook_of_owner ON webhook (owner, created_at);

-- What a webhook's calls are signed with.
CREATE TABLE webhook_key (
    webhook uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- 32 random bytes in base64; `whsec_` is put before it where it is shown, which is once.
    secret  text NOT NULL,
    -- A key that was replaced signs too until then, so that no call fails in between.
    until   timestamptz,
    PRIMARY KEY (webhook, made_at)
);

-- A webhook as its owner sees it: times as milliseconds.
CREATE VIEW webhook_card AS
SELECT
    id,
    owner,
    url,
    templates,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM disabled_at) * 1000)::bigint AS disabled_at,
    disabled_because,
    failures
FROM webhook;

-- Makes a webhook with its first key, unless its owner has as many as there may be. Whoever makes two
-- at once stands in line: only then can they be counted.
CREATE FUNCTION make_webhook(
    new_id uuid, of_owner uuid, to_url text, with_secret text, of_templates text[], at_most bigint
) RETURNS SETOF webhook_card LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('webhook ' || of_owner, 0));
    IF (SELECT count(*) FROM webhook WHERE owner = of_owner) >= at_most THEN
        RETURN;
    END IF;
    INSERT INTO webhook (id, owner, url, templates) VALUES (new_id, of_owner, to_url, of_templates);
    INSERT INTO webhook_key (webhook, secret) VALUES (new_id, with_secret);
    RETURN QUERY SELECT * FROM webhook_card WHERE id = new_id;
END $$;
