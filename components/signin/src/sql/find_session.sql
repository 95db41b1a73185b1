-- $1 session
SELECT session.id, session.kind, session.address, session.agent, session.name, session.scope,
    millis(session.started_at) AS started_at, millis(session.expires_at) AS expires_at,
    millis(session.refreshed_at) AS refreshed_at, session.amr, millis(session.authenticated_at) AS authenticated_at
FROM caller($1) AS me JOIN session ON session.id = $1
