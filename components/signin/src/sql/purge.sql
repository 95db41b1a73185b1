-- $1 limit, $2 seconds for which an access token may live
-- What is over is of no use to anybody; but for as long as tokens of an ended session may be
-- around, it is what the other functions are told from.
WITH expired AS (
    DELETE FROM session WHERE id IN (
        SELECT id FROM session WHERE expires_at < now() - interval '1 day' LIMIT $1)
    RETURNING 1
), told AS (
    DELETE FROM session WHERE id IN (
        SELECT id FROM session WHERE told_at < now() - $2::bigint * interval '1 second' LIMIT $1)
    RETURNING 1
), letters AS (
    DELETE FROM letter WHERE digest IN (SELECT digest FROM letter WHERE expires_at < now() LIMIT $1) RETURNING 1
), passcodes AS (
    DELETE FROM passcode WHERE code IN (SELECT code FROM passcode WHERE expires_at < now() LIMIT $1) RETURNING 1
), tries AS (
    DELETE FROM try WHERE gate IN (SELECT gate FROM try WHERE until < now() LIMIT $1) RETURNING 1
)
SELECT (SELECT count(*) FROM expired) + (SELECT count(*) FROM told) + (SELECT count(*) FROM letters)
    + (SELECT count(*) FROM passcodes) + (SELECT count(*) FROM tries)
