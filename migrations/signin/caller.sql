-- Refuses a caller with an error that names the rule, as a constraint would.
CREATE OR REPLACE FUNCTION refuse_session() RETURNS bool LANGUAGE plpgsql STABLE AS $$
BEGIN
    RAISE EXCEPTION 'the session is over'
        USING ERRCODE = 'invalid_authorization_specification', CONSTRAINT = 'session_in_force';
END $$;

-- The account of a session that is in force. A statement that begins with it needs no other check of its caller: without
-- such a session it fails with the name of the rule. PostgreSQL inlines the function as a join, so the statement reads only
-- the columns that it uses, rarely the password hash. `OFFSET 0` keeps a condition of the statement from dropping the row
-- that refuses.
CREATE OR REPLACE FUNCTION caller(in_session uuid) RETURNS SETOF account LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT account.*
    FROM (VALUES (true)) AS asked (is_asked)
        LEFT JOIN (session JOIN account ON account.id = session.account AND account.seal = session.seal
            AND account.disabled_at IS NULL)
        ON session.id = in_session AND session.ended_at IS NULL AND session.expires_at > now()
    WHERE CASE WHEN account.id IS NULL THEN refuse_session() ELSE true END
    OFFSET 0
$$;
