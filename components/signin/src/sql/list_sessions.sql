-- $1 session, $2 whether personal access tokens alone
SELECT session.id, session.kind, session.address, session.agent, session.name, session.scope,
    (extract(epoch FROM session.started_at) * 1000)::bigint AS started_at,
    (extract(epoch FROM session.expires_at) * 1000)::bigint AS expires_at,
    (extract(epoch FROM session.refreshed_at) * 1000)::bigint AS refreshed_at
FROM caller($1) AS me JOIN session ON session.account = me.id AND session.seal = me.seal
WHERE ended_at IS NULL AND expires_at > now() AND (NOT $2 OR session.kind = 'personal')
ORDER BY session.started_at DESC
LIMIT 100
