-- $1 session, $2 address, $3 request id
-- Everything that is kept here about the caller.
WITH me AS (
    SELECT * FROM caller($1)
), audited AS (
    SELECT write_audit('exported', id, $1, $2, $3) FROM me
)
SELECT
    to_jsonb(me) - ARRAY['password', 'seal', 'totp', 'totp_offered', 'totp_step', 'backup_batch', 'backup_used']
        AS account,
    (
        SELECT coalesce(jsonb_agg(to_jsonb(session) - ARRAY['seal', 'refresh', 'spent', 'secret'] ORDER BY started_at), '[]')
        FROM session WHERE session.account = me.id
    ) AS sessions,
    (
        SELECT coalesce(jsonb_agg(to_jsonb(foreign_identity) - 'account'), '[]')
        FROM foreign_identity WHERE foreign_identity.account = me.id
    ) AS identities,
    (
        SELECT coalesce(jsonb_agg(to_jsonb(audit) ORDER BY audit.id), '[]')
        FROM audit WHERE audit.account = me.id
    ) AS events
FROM me, audited
