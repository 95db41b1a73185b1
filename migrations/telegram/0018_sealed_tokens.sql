-- The tokens of a chat, sealed under a key that the database does not know. Those that were stored before are removed:
-- their people sign in once more. The next release drops the former columns, which this one leaves empty.
DELETE FROM session;

ALTER TABLE session
    ADD COLUMN sealed bytea,
    ALTER COLUMN token DROP NOT NULL,
    ALTER COLUMN refresh_token DROP NOT NULL;
