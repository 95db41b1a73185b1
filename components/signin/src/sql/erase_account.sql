-- $1 session, $2 address, $3 request id, $4 account, $5 whether as an admin
WITH erased AS (
    SELECT account.id
    FROM caller($1) AS me JOIN account ON account.id = $4
    WHERE account.erased_at IS NULL AND (account.id = me.id OR manages(me, account, $5))
    FOR UPDATE OF account
)
SELECT ended FROM erase_accounts(ARRAY(SELECT id FROM erased), $1, $2, $3)
