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
    -- 32 random bytes in base64; `whsec_` is put before it where it is shown, which is once.
    secret           text NOT NULL,
    -- After a rotation both sign until then, so that no call fails in between.
    former_secret    text,
    former_until     timestamptz,
    -- The templates it is told of; all when null.
    templates        text[],
    created_at       timestamptz NOT NULL DEFAULT now(),
    disabled_at      timestamptz,
    disabled_because text
);

CREATE INDEX webhook_of_owner ON webhook (owner, created_at);
