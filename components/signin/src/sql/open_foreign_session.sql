-- $1 issuer, $2 subject, $3 roles held there, $4 every role that the issuer has a say in,
-- $5 session, $6 its seconds, $7 address, $8 agent, $9 request id
-- The issuer's word on its roles is taken each time; other roles stay. Where that changes them,
-- every other session ends: its tokens say what is not true any more.
WITH known AS (
    SELECT account.id, account.roles, ARRAY(
        SELECT role FROM unnest(account.roles) AS role WHERE role <> ALL ($4::text[])
        UNION
        SELECT role FROM unnest($3::text[]) AS role
    ) AS now_roles
    FROM foreign_identity JOIN account ON account.id = foreign_identity.account
    WHERE issuer = $1 AND subject = $2 AND disabled_at IS NULL
), decided AS (
    SELECT id, now_roles, roles @> now_roles AND roles <@ now_roles AS are_the_same FROM known
), changed AS (
    UPDATE account SET
        roles = now_roles,
        seal = CASE WHEN are_the_same THEN account.seal ELSE gen_random_uuid() END
    FROM decided WHERE account.id = decided.id
    RETURNING account, are_the_same
), opened AS (
    INSERT INTO session (id, account, seal, kind, address, agent, expires_at)
    SELECT $5, (account).id, (account).seal, 'foreign', $7, $8, now() + $6::bigint * interval '1 second' FROM changed
), audited AS (
    INSERT INTO audit (what, account, session, address, request_id, detail)
    SELECT 'signed-in', (account).id, $5, $7, $9, $1 FROM changed
), audited_change AS (
    INSERT INTO audit (what, account, session, address, request_id, detail)
    SELECT 'roles-changed', (account).id, $5, $7, $9, array_to_string((account).roles, ' ')
    FROM changed WHERE NOT are_the_same
)
SELECT person.*, CASE WHEN are_the_same THEN '{}' ELSE end_sessions(person.id, $5, 'roles-changed') END AS ended
FROM changed, person(changed.account)
