-- $1 limit, $2 seconds for which an access token may live
-- An ended session is kept for as long as its access tokens may live, because lost marks are set again from its row.
WITH expired AS (
    DELETE FROM session WHERE id IN (
        SELECT id FROM session WHERE expires_at < now() - interval '1 day' LIMIT $1)
    RETURNING 1
), marked AS (
    DELETE FROM session WHERE id IN (
        SELECT id FROM session WHERE told_at < now() - $2::bigint * interval '1 second' LIMIT $1)
    RETURNING 1
), letters AS (
    DELETE FROM letter WHERE digest IN (SELECT digest FROM letter WHERE expires_at < now() LIMIT $1) RETURNING 1
), passcodes AS (
    DELETE FROM passcode WHERE code IN (SELECT code FROM passcode WHERE expires_at < now() LIMIT $1) RETURNING 1
), networks AS (
    DELETE FROM known_network WHERE (account, network) IN (
        SELECT account, network FROM known_network WHERE seen_at < now() - interval '90 days' LIMIT $1)
    RETURNING 1
), tries AS (
    DELETE FROM try WHERE gate IN (SELECT gate FROM try WHERE until < now() LIMIT $1) RETURNING 1
)
SELECT (SELECT count(*) FROM expired) + (SELECT count(*) FROM marked) + (SELECT count(*) FROM letters)
    + (SELECT count(*) FROM passcodes) + (SELECT count(*) FROM tries)
    + (SELECT count(*) FROM networks) + purge_audit($1)
