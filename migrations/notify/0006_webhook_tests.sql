-- How many tests of their webhooks a person asked for lately. Nothing proves that the called server is theirs.
CREATE TABLE webhook_test (
    owner uuid PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now(),
    tests int NOT NULL DEFAULT 1
);
