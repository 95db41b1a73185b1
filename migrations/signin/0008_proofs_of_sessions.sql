-- How and when the person of a session last proved who they are, and from where people sign in.

ALTER TABLE session
    -- RFC 8176: 'pwd', 'otp', 'mfa'; empty when another issuer vouched.
    ADD COLUMN amr text[] NOT NULL DEFAULT '{}',
    ADD COLUMN authenticated_at timestamptz NOT NULL DEFAULT now(),
    -- The network that exchanged the spent refresh token.
    ADD COLUMN spent_from text;

UPDATE session SET
    authenticated_at = started_at,
    amr = CASE WHEN kind IN ('password', 'registration') THEN ARRAY['pwd'] ELSE '{}' END;

-- Of an account with a second factor, a code was asked for when it signed in.
UPDATE session SET amr = ARRAY['pwd', 'otp', 'mfa']
FROM account WHERE account.id = session.account AND account.totp IS NOT NULL AND session.kind = 'password';

-- An address that takes the place of the proven one when it is proven itself.
ALTER TABLE account ADD COLUMN email_wanted text;

CREATE INDEX account_admins ON account (id) WHERE 'admin' = ANY (roles);

-- The admin of the configuration is made once in the life of a database.
CREATE TABLE first_admin (
    is_only bool PRIMARY KEY DEFAULT true CONSTRAINT first_admin_is_one CHECK (is_only),
    account uuid NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO first_admin (account)
SELECT id FROM account WHERE 'admin' = ANY (roles) ORDER BY number LIMIT 1;

REVOKE ALL ON first_admin FROM wharf_signin;
GRANT SELECT, INSERT ON first_admin TO wharf_signin;

-- Where people signed in successfully: their attempts from there are not slowed down by strangers.
CREATE TABLE known_network (
    account uuid NOT NULL REFERENCES account,
    -- An IPv4 address, or the /64 of an IPv6 one.
    network text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, network)
);

CREATE INDEX known_network_age ON known_network (seen_at);

-- One passcode an account: the latest.
DELETE FROM passcode AS older USING passcode AS newer
WHERE older.account = newer.account
    AND (older.expires_at, older.code) < (newer.expires_at, newer.code);
