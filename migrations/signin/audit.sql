-- Writes a line of the audit trail. Statements call it in RETURNING, so that a row which changes is audited by
-- the same statement, once. The result says nothing; Spin's interface to PostgreSQL knows no void.
CREATE OR REPLACE FUNCTION write_audit(
    event text, of_account uuid, in_session uuid, from_address text, request text,
    by_actor uuid DEFAULT NULL, with_detail text DEFAULT NULL
) RETURNS bool
LANGUAGE sql AS $$
    INSERT INTO audit (what, account, session, actor, address, request_id, detail)
    -- An actor is named only when it is not the person of the account.
    VALUES (event, of_account, in_session, nullif(by_actor, of_account), from_address, request, with_detail)
    RETURNING true
$$;
