-- $1 session, $2 kind, $3 seconds, $4 refresh token (none), $5 address, $6 agent, $7 request id,
-- $8 issuer, $9 subject, $10 roles held there, $11 every role that the issuer decides
-- The issuer decides its roles at each sign-in; other roles stay. When that changes them, every other session
-- ends, because its tokens carry the old roles.
WITH known AS (
    SELECT account.id, account.roles, ARRAY(
        SELECT role FROM unnest(account.roles) AS role WHERE role <> ALL ($11::text[])
        UNION
        SELECT role FROM unnest($10::text[]) AS role
    ) AS now_roles
    FROM foreign_identity JOIN account ON account.id = foreign_identity.account
    WHERE issuer = $8 AND subject = $9 AND disabled_at IS NULL
), decided AS (
    SELECT id, now_roles, roles @> now_roles AND roles <@ now_roles AS are_the_same FROM known
), changed AS (
    UPDATE account SET
        roles = now_roles,
        seal = CASE WHEN are_the_same THEN account.seal ELSE gen_random_uuid() END
    FROM decided WHERE account.id = decided.id
    RETURNING account, are_the_same,
        write_audit('signed-in', account.id, $1, $5, $7, NULL, $8),
        CASE WHEN NOT are_the_same THEN
            write_audit('roles-changed', account.id, $1, $5, $7, NULL, array_to_string(account.roles, ' '))
        END
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at, refresh)
    SELECT $1, (account).id, (account).seal, $2, $5, $6, now() + $3::bigint * interval '1 second', $4 FROM changed
)
SELECT person.*, CASE WHEN are_the_same THEN '{}' ELSE end_sessions(person.id, $1, 'roles-changed') END AS ended
FROM changed, person(changed.account)
