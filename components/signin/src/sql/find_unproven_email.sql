-- $1 session
SELECT coalesce(me.email_wanted, CASE WHEN me.email_verified_at IS NULL THEN me.email END) AS email
FROM caller($1) AS me
