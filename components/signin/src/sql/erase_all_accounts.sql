-- $1 session, $2 address, $3 request id
-- All accounts but those of admins, who would lock themselves out.
WITH erased AS (
    SELECT account.id
    FROM caller($1) AS me JOIN account ON NOT 'admin' = ANY (account.roles)
    WHERE account.erased_at IS NULL AND 'admin' = ANY (me.roles)
    FOR UPDATE OF account
)
SELECT count(*) FROM erase_accounts(ARRAY(SELECT id FROM erased), $1, $2, $3)
