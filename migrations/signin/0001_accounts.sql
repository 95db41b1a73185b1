-- Who people are, how they prove it, and what came of every attempt.

-- A name is one person's whatever its case. Names are ASCII, so the locale has no say.
CREATE FUNCTION folded(name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN lower(name COLLATE "C");

CREATE TABLE account (
    id            uuid PRIMARY KEY,
    -- What clients that know people by number show.
    number        bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT account_number UNIQUE,
    login         text NOT NULL,
    email         text,
    name          text,
    surname       text,
    cpf           text CONSTRAINT account_cpf_taken UNIQUE
                      CONSTRAINT account_cpf_is_11_digits CHECK (cpf ~ '^[0-9]{11}$'),
    telegram_id   bigint CONSTRAINT account_telegram_id_positive CHECK (telegram_id > 0),
    -- Argon2id in PHC form; without one nobody signs in by password.
    password      text,
    -- Every session carries the seal under which it began. Renewing the seal ends them all at
    -- once, also one that begins at this very moment.
    seal          uuid NOT NULL DEFAULT gen_random_uuid(),
    roles         text[] NOT NULL CONSTRAINT account_roles_known CHECK (
                      roles <@ ARRAY['driver', 'owner', 'controller', 'zone_admin', 'customer', 'moderator',
                                     'admin', 'anonymous']),
    email_verified_at timestamptz,
    -- Second factor. Its secret is computed from this id and a key that the database does not know.
    totp          uuid,
    -- Enrolled, but no code of it has been seen yet.
    totp_offered  uuid,
    -- The last time step whose code was used: no code counts twice.
    totp_step     bigint NOT NULL DEFAULT 0,
    -- Which ten backup codes count, and one bit for each that is used up.
    backup_batch  int NOT NULL DEFAULT 0,
    backup_used   int NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    uuid,
    disabled_at   timestamptz,
    -- The person is gone; the row stays for what refers to it.
    erased_at     timestamptz,
    -- Otherwise one could take the e-mail of another as a login and sign in, or be sent mail, in
    -- their place.
    CONSTRAINT account_login_no_strange_email CHECK (
        position('@' IN login) = 0 OR folded(login) = coalesce(folded(email), ''))
);

CREATE UNIQUE INDEX account_login_taken ON account (folded(login));
CREATE UNIQUE INDEX account_email_taken ON account (folded(email));
CREATE INDEX account_by_telegram_id ON account (telegram_id) WHERE telegram_id IS NOT NULL;

-- One sign-in and every token that descends from it.
CREATE TABLE session (
    id           uuid PRIMARY KEY,
    account      uuid NOT NULL REFERENCES account,
    seal         uuid NOT NULL,
    kind         text NOT NULL CONSTRAINT session_kind_known CHECK (
                     kind IN ('registration', 'password', 'personal', 'foreign')),
    address      text NOT NULL,
    agent        text,
    started_at   timestamptz NOT NULL DEFAULT now(),
    -- No token of it lives longer.
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    ended_because text,
    -- The refresh token that may be used, the one before it, and when they changed places.
    refresh      uuid,
    spent        uuid,
    refreshed_at timestamptz,
    -- Of a personal access token: what its person calls it, what it may do, its digest.
    name         text,
    scope        text,
    secret       bytea CONSTRAINT session_secret UNIQUE,
    -- When the other functions were told for sure that it is over.
    told_at      timestamptz
);

CREATE INDEX session_of_account ON session (account, started_at);
CREATE INDEX session_expiry ON session (expires_at);
CREATE INDEX session_to_tell ON session (ended_at) WHERE ended_at IS NOT NULL AND told_at IS NULL;
CREATE INDEX session_told ON session (told_at) WHERE told_at IS NOT NULL;

-- Every authentication event, for ever the way it happened. It names people by id alone, so that
-- it says nothing about somebody who was erased.
CREATE TABLE audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT now(),
    -- 'signed-in', 'refused', 'registered', 'signed-out', 'password-changed' …
    what       text NOT NULL,
    account    uuid,
    session    uuid,
    -- Who did it, when somebody else.
    actor      uuid,
    address    text NOT NULL,
    request_id text NOT NULL,
    detail     text
);

CREATE INDEX audit_of_account ON audit (account, id);

CREATE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is never changed' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER audit_is_final BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- The account behind a session that is in force. A statement that begins with it needs no other
-- check of who asks; it is refused by the name of the rule.
CREATE FUNCTION caller(in_session uuid) RETURNS SETOF account LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
    RETURN QUERY
    SELECT account.* FROM session JOIN account ON account.id = session.account
    WHERE session.id = in_session AND session.seal = account.seal
        AND ended_at IS NULL AND expires_at > now() AND disabled_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the session is over'
            USING ERRCODE = 'invalid_authorization_specification', CONSTRAINT = 'session_in_force';
    END IF;
END $$;

-- What the functions read of an account, in one place.
CREATE FUNCTION person(of_account account) RETURNS TABLE (
    id uuid, number bigint, login text, email text, is_email_verified bool, name text, surname text, cpf text,
    telegram_id bigint, roles text[], has_totp bool, is_disabled bool
) LANGUAGE sql IMMUTABLE ROWS 1 AS $$
    SELECT of_account.id, of_account.number, of_account.login, of_account.email,
        of_account.email_verified_at IS NOT NULL, of_account.name, of_account.surname, of_account.cpf,
        of_account.telegram_id, of_account.roles, of_account.totp IS NOT NULL, of_account.disabled_at IS NOT NULL
$$;

-- Whether one may change the other's account. Admins may everybody's, if their token says that
-- they are one: without the second factor that an operator asks for they are none. A zone admin
-- may that of staff they registered, for as long as it is nothing but staff.
CREATE FUNCTION manages(me account, whom account, as_admin bool) RETURNS bool
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (as_admin AND 'admin' = ANY (me.roles))
    OR (whom.created_by = me.id AND 'zone_admin' = ANY (me.roles)
        AND whom.roles && ARRAY['controller', 'zone_admin']
        AND whom.roles <@ ARRAY['driver', 'controller', 'zone_admin']);

-- Ends what is live of an account but for one session, and says which those were. Whoever calls
-- it renews the seal, which is what counts: this is for the list, and to tell other functions.
CREATE FUNCTION end_sessions(of_account uuid, but_for uuid, because text) RETURNS text[]
LANGUAGE sql AS $$
    WITH ended AS (
        UPDATE session SET ended_at = now(), ended_because = because
        WHERE account = of_account AND ended_at IS NULL AND expires_at > now()
            AND id IS DISTINCT FROM but_for
        RETURNING id
    )
    SELECT coalesce(array_agg(id::text), '{}') FROM ended
$$;

-- Takes the next refresh token of a session in exchange for the one that may be used. Two clients
-- that ask with the same one at nearly the same time get the same next one. One that was spent
-- before that is in the wrong hands, here or there: the session ends.
CREATE FUNCTION refresh_session(
    in_session uuid, with_token uuid, next_token uuid, grace_s bigint, from_address text, request text
) RETURNS TABLE (outcome text, of_account account, token uuid, scope text, seconds_left bigint)
LANGUAGE plpgsql AS $$
DECLARE
    held session;
    owner account;
BEGIN
    SELECT * INTO held FROM session WHERE id = in_session FOR UPDATE;
    SELECT * INTO owner FROM account WHERE id = held.account;
    token := with_token;
    of_account := owner;
    scope := held.scope;
    seconds_left := extract(epoch FROM held.expires_at - now())::bigint;
    IF held.id IS NULL OR held.ended_at IS NOT NULL OR held.expires_at <= now()
        OR held.seal <> owner.seal OR owner.disabled_at IS NOT NULL OR held.refresh IS NULL
    THEN
        outcome := 'over';
    ELSIF held.refresh = with_token THEN
        UPDATE session SET spent = with_token, refresh = next_token, refreshed_at = clock_timestamp()
        WHERE id = in_session;
        outcome := 'refreshed';
        token := next_token;
    ELSIF held.spent = with_token AND held.refreshed_at > now() - grace_s * interval '1 second' THEN
        outcome := 'refreshed';
        token := held.refresh;
    ELSE
        UPDATE session SET ended_at = now(), ended_because = 'refresh-token-reused' WHERE id = in_session;
        INSERT INTO audit (what, account, session, address, request_id)
        VALUES ('refresh-token-reused', owner.id, in_session, from_address, request);
        INSERT INTO events.outbox (kind, aggregate, payload)
        VALUES ('notify', 'user:' || owner.id, jsonb_build_object(
            'user_id', owner.id, 'template', 'refresh-token-reused',
            'params', jsonb_build_object('address', from_address)));
        outcome := 'reused';
    END IF;
    IF outcome = 'refreshed' THEN
        INSERT INTO audit (what, account, session, address, request_id)
        VALUES ('refreshed', owner.id, in_session, from_address, request);
    END IF;
    RETURN NEXT;
END $$;

REVOKE ALL ON audit, account FROM wharf_signin;
GRANT SELECT, INSERT ON audit TO wharf_signin;
GRANT SELECT, INSERT, UPDATE ON account TO wharf_signin;
