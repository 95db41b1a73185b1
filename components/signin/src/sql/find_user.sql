-- $1 session, $2 account
SELECT
    person.*, millis(account.created_at) AS created_at,
    (SELECT millis(max(started_at)) FROM session WHERE session.account = account.id) AS last_session_at
FROM caller($1) AS me, account, person(account)
WHERE account.id = $2 AND account.erased_at IS NULL AND 'admin' = ANY (me.roles)
