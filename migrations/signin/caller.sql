-- Refuses a caller by the name of the rule.
CREATE OR REPLACE FUNCTION refuse_session() RETURNS bool LANGUAGE plpgsql STABLE AS $$
BEGIN
    RAISE EXCEPTION 'the session is over'
        USING ERRCODE = 'invalid_authorization_specification', CONSTRAINT = 'session_in_force';
END $$;

-- The account behind a session that is in force. A statement that begins with it needs no other check of who asks; it is
-- refused by the name of the rule. PostgreSQL makes it a join of the statement, which then reads only what it uses: the
-- hash of the password hardly ever. `OFFSET 0` keeps a condition of the statement from dropping the row that refuses.
CREATE OR REPLACE FUNCTION caller(in_session uuid) RETURNS SETOF account LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT account.*
    FROM (VALUES (true)) AS asked (is_asked)
        LEFT JOIN (session JOIN account ON account.id = session.account AND account.seal = session.seal
            AND account.disabled_at IS NULL)
        ON session.id = in_session AND session.ended_at IS NULL AND session.expires_at > now()
    WHERE CASE WHEN account.id IS NULL THEN refuse_session() ELSE true END
    OFFSET 0
$$;
