-- Ends the live sessions of an account but for one, and answers their ids. What stops their tokens is the new seal, which
-- the caller of this function sets. The rows are for the list of sessions, and for the marks that other functions see.
CREATE OR REPLACE FUNCTION end_sessions(of_account uuid, but_for uuid, because text) RETURNS text[]
LANGUAGE sql AS $$
    WITH ended AS (
        UPDATE session SET ended_at = now(), ended_because = because,
            address = CASE WHEN because = 'erased' THEN 'erased' ELSE address END,
            agent = CASE WHEN because = 'erased' THEN NULL ELSE agent END,
            spent_from = CASE WHEN because = 'erased' THEN NULL ELSE spent_from END
        WHERE account = of_account AND ended_at IS NULL AND expires_at > now()
            AND id IS DISTINCT FROM but_for
        RETURNING id
    )
    SELECT coalesce(array_agg(id::text), '{}') FROM ended
$$;
