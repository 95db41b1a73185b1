-- The published keys of other issuers, as they were last read.
CREATE TABLE issuer_keys (
    issuer     text PRIMARY KEY,
    jwks       jsonb,
    fetched_at timestamptz,
    -- Also when it failed: no caller makes us ask more often than that.
    tried_at   timestamptz NOT NULL
);
