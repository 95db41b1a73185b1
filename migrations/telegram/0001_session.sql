-- In whose name a chat speaks: the tokens that signin gave for its login and password.
CREATE TABLE session (
    chat          bigint PRIMARY KEY,
    token         text NOT NULL,
    -- The next pair is given for it, once.
    refresh_token text NOT NULL,
    login         text NOT NULL,
    -- The end of the token.
    expires_at    timestamptz NOT NULL,
    signed_in_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX session_by_end ON session (expires_at);
