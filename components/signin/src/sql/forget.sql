-- $1 limit
-- What has been over for a day is of no use to anybody.
WITH sessions AS (
    DELETE FROM session WHERE id IN (
        SELECT id FROM session
        WHERE expires_at < now() - interval '1 day' OR told_at < now() - interval '1 day'
        LIMIT $1)
    RETURNING 1
), letters AS (
    DELETE FROM letter WHERE digest IN (SELECT digest FROM letter WHERE expires_at < now() LIMIT $1) RETURNING 1
), passcodes AS (
    DELETE FROM passcode WHERE code IN (SELECT code FROM passcode WHERE expires_at < now() LIMIT $1) RETURNING 1
), tries AS (
    DELETE FROM try WHERE gate IN (SELECT gate FROM try WHERE until < now() LIMIT $1) RETURNING 1
)
SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM letters) + (SELECT count(*) FROM passcodes)
    + (SELECT count(*) FROM tries)
