-- $1 session, $2 address, $3 request id, $4 proofs
WITH proven AS (
    UPDATE session SET authenticated_at = now(), amr = ARRAY(
        SELECT DISTINCT proof FROM unnest(session.amr || $4::text[]) AS proof ORDER BY proof)
    FROM caller($1) AS me WHERE session.id = $1
    RETURNING me, session.expires_at, session.refresh, session.amr, session.authenticated_at,
        write_audit('proven-again', session.account, $1, $2, $3)
)
SELECT person.*, extract(epoch FROM expires_at - now())::bigint AS seconds_left, amr,
    millis(authenticated_at) AS authenticated_at, refresh IS NOT NULL AS is_refreshed
FROM proven, person(proven.me)
