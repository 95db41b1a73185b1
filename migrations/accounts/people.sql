-- What other functions may know of people. They come as `wharf_accounts`, which reads no table and no other schema: a
-- fault in one of them shows no password hash, no second factor and no token. The functions run as the owner.

-- The account that is called so; what is null is not asked for.
CREATE OR REPLACE FUNCTION find_person(by_id uuid, by_number bigint, by_login text, by_email text, by_cpf text)
RETURNS TABLE (
    id uuid, number bigint, login text, email text, is_email_verified bool, name text, surname text, cpf text,
    telegram_id bigint, roles text[], has_totp bool, is_disabled bool
)
LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = signin, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT person.* FROM look_up(by_id, by_number, by_login, by_email, by_cpf) AS holder, person(holder);
END $$;

CREATE OR REPLACE FUNCTION list_people(by_ids text[])
RETURNS TABLE (
    id uuid, number bigint, login text, email text, is_email_verified bool, name text, surname text, cpf text,
    telegram_id bigint, roles text[], has_totp bool, is_disabled bool
)
LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = signin, pg_temp
-- A plan that was made while there were few accounts would read all of them, and the ids anew for each.
SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    SELECT person.* FROM account, person(account)
    WHERE account.id = ANY (ARRAY(SELECT it::uuid FROM unnest(by_ids) AS it)) AND account.erased_at IS NULL
    LIMIT 100;
END $$;

CREATE OR REPLACE FUNCTION list_people_of_chat(by_telegram_id bigint)
RETURNS TABLE (
    id uuid, number bigint, login text, email text, is_email_verified bool, name text, surname text, cpf text,
    telegram_id bigint, roles text[], has_totp bool, is_disabled bool
)
LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = signin, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT person.* FROM account, person(account)
    WHERE account.telegram_id = by_telegram_id AND account.erased_at IS NULL
    ORDER BY account.number
    LIMIT 100;
END $$;

-- All accounts, and those with each role. Erased people are none.
CREATE OR REPLACE FUNCTION count_people() RETURNS TABLE (role text, accounts bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = signin, pg_temp AS $$
BEGIN
    RETURN QUERY
    WITH held AS (SELECT account.roles FROM account WHERE account.erased_at IS NULL), counted AS (
        SELECT NULL::text AS name, count(*) AS people FROM held
        UNION ALL
        SELECT it.name, count(*) FROM held CROSS JOIN unnest(held.roles) AS it (name) GROUP BY it.name
    )
    SELECT counted.name, counted.people FROM counted ORDER BY counted.name NULLS FIRST;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA accounts FROM PUBLIC;
GRANT USAGE ON SCHEMA accounts TO wharf_signin, wharf_passcodes;
GRANT EXECUTE ON FUNCTION find_person, list_people, list_people_of_chat, count_people TO wharf_signin, wharf_passcodes;
