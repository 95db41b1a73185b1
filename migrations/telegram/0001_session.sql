-- In whose name a chat speaks: the token that signin gave for its login and password.
CREATE TABLE session (
    chat         bigint PRIMARY KEY,
    token        text NOT NULL,
    login        text NOT NULL,
    signed_in_at timestamptz NOT NULL DEFAULT now()
);
