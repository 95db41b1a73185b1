-- Opens a session for a user of another issuer, if their account is still what it was when the issuer's token and
-- the code were checked. The row is locked first: a change of roles, a disabling or an erasure at the same moment
-- comes before or after all of this. The issuer decides its roles at each sign-in; other roles stay. When that
-- changes them, every other session ends, because its tokens carry the old roles.
CREATE OR REPLACE FUNCTION open_foreign_session(
    in_session uuid, of_kind text, for_seconds bigint, from_address text, from_agent text, request text,
    with_amr text[], proven_at timestamptz, from_network text,
    known_to text, of_account uuid, with_seal uuid, roles_there text[], roles_decided text[]
) RETURNS TABLE (opened account, ended text[])
LANGUAGE plpgsql AS $$
DECLARE
    owner account;
    new_roles text[];
BEGIN
    SELECT * INTO owner FROM account WHERE id = of_account AND seal = with_seal AND disabled_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    new_roles := ARRAY(
        SELECT role FROM unnest(owner.roles) AS role WHERE role <> ALL (roles_decided)
        UNION
        SELECT role FROM unnest(roles_there) AS role);
    ended := '{}';
    IF NOT (owner.roles @> new_roles AND owner.roles <@ new_roles) THEN
        UPDATE account SET roles = new_roles, seal = gen_random_uuid() WHERE id = owner.id RETURNING * INTO owner;
        ended := end_sessions(owner.id, in_session, 'roles-changed');
        PERFORM write_audit('roles-changed', owner.id, in_session, from_address, request, NULL,
            array_to_string(owner.roles, ' '));
    END IF;
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, amr, authenticated_at)
    VALUES (in_session, owner.id, owner.seal, of_kind, from_address, from_agent,
        now() + for_seconds * interval '1 second', with_amr, proven_at);
    PERFORM write_audit('signed-in', owner.id, in_session, from_address, request, NULL, known_to);
    PERFORM remember_network(owner.id, from_network, from_address);
    opened := owner;
    RETURN NEXT;
END $$;
