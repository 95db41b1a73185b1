-- $1 session, $2 address, $3 request id, $4 only audit lines before this one, or none, $5 how many of them
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
        SELECT coalesce(jsonb_agg(to_jsonb(line) ORDER BY line.id DESC), '[]')
        FROM (
            SELECT * FROM audit WHERE audit.account = me.id AND ($4::bigint IS NULL OR audit.id < $4)
            ORDER BY audit.id DESC LIMIT $5
        ) AS line
    ) AS events,
    (
        SELECT coalesce(jsonb_agg(to_jsonb(known_network) - 'account'), '[]')
        FROM known_network WHERE known_network.account = me.id
    ) AS networks
FROM me, audited
