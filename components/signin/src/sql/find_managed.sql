-- $1 session, $2 login
-- Admins manage everybody, others whom they registered.
SELECT person.*
FROM caller($1) AS me
    JOIN account ON folded(account.login) = folded($2) AND account.erased_at IS NULL
        AND ('admin' = ANY (me.roles) OR account.created_by = me.id),
    person(account)
