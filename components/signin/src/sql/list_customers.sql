-- $1 session, $2 number or none, $3 limit, $4 offset, $5 whether as an admin
-- Admins see all customers, other callers themselves and those whom they registered.
SELECT person.*
FROM caller($1) AS me
    JOIN account ON account.erased_at IS NULL
        AND account.roles && ARRAY['customer', 'anonymous', 'admin']
        AND ($5 OR account.id = me.id OR account.created_by = me.id)
        AND ($2::bigint IS NULL OR account.number = $2),
    person(account)
ORDER BY account.number
LIMIT $3 OFFSET $4
