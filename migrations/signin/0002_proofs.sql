-- What proves something once or for a while, besides a password.

-- Sent to somebody's mailbox. Only the digest is kept: who reads this table can use nothing of it.
CREATE TABLE letter (
    digest     bytea PRIMARY KEY,
    account    uuid NOT NULL REFERENCES account,
    purpose    text NOT NULL CONSTRAINT letter_purpose_known CHECK (purpose IN ('reset', 'verify')),
    -- Where it was sent: it proves this address and no other.
    email      text NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX letter_of_account ON letter (account);
CREATE INDEX letter_expiry ON letter (expires_at);

-- Six digits that stand for a zone's staff at a kiosk.
CREATE TABLE passcode (
    code       text PRIMARY KEY CONSTRAINT passcode_is_6_digits CHECK (code ~ '^[0-9]{6}$'),
    account    uuid NOT NULL REFERENCES account,
    expires_at timestamptz NOT NULL
);

CREATE INDEX passcode_of_account ON passcode (account);

-- Wrong tries, counted here only while Redis is away.
CREATE TABLE try (
    gate       text PRIMARY KEY,
    count      int NOT NULL,
    -- The end of the window that the count belongs to.
    until      timestamptz NOT NULL
);

CREATE INDEX try_expiry ON try (until);

-- Counts a try at each of these gates, unless one of them is full: then at none. Says in how many
-- seconds to come again, or 0. Whoever comes meanwhile waits for the rows, so no two see the same
-- place left.
CREATE FUNCTION take_try(gates text[], limits bigint[], windows bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    wait bigint;
BEGIN
    INSERT INTO try (gate, count, until)
    SELECT name, 1, now() + seconds * interval '1 second'
    FROM unnest(gates, windows) AS asked (name, seconds)
    ORDER BY name
    ON CONFLICT (gate) DO UPDATE SET
        count = CASE WHEN try.until > now() THEN try.count + 1 ELSE 1 END,
        until = CASE WHEN try.until > now() THEN try.until ELSE excluded.until END;
    SELECT coalesce(max(ceil(extract(epoch FROM try.until - now()))), 0)::bigint INTO wait
    FROM try JOIN unnest(gates, limits) AS asked (name, most) ON try.gate = asked.name
    WHERE try.count > most;
    IF wait > 0 THEN
        UPDATE try SET count = try.count - 1 WHERE try.gate = ANY (gates);
    END IF;
    RETURN wait;
END $$;

-- Who somebody is at another issuer.
CREATE TABLE foreign_identity (
    issuer     text NOT NULL,
    subject    text NOT NULL,
    account    uuid NOT NULL REFERENCES account,
    linked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX foreign_identity_of_account ON foreign_identity (account);

-- The published keys of other issuers, as they were last read.
CREATE TABLE foreign_keys (
    issuer     text PRIMARY KEY,
    jwks       jsonb,
    fetched_at timestamptz,
    -- Also when it failed: nobody makes us ask more often than that.
    tried_at   timestamptz NOT NULL
);
