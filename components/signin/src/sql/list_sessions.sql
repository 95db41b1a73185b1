-- $1 session, $2 whether only personal access tokens
SELECT session.id, session.kind, session.address, session.agent, session.name, session.scope,
    millis(session.started_at) AS started_at, millis(session.expires_at) AS expires_at,
    millis(session.refreshed_at) AS refreshed_at, session.amr, millis(session.authenticated_at) AS authenticated_at
FROM caller($1) AS me JOIN session ON session.account = me.id AND session.seal = me.seal
WHERE ended_at IS NULL AND expires_at > now() AND (NOT $2 OR session.kind = 'personal')
ORDER BY session.started_at DESC
LIMIT 100
