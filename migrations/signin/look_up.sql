-- The account that is called so; what is null is not asked for. An index answers each of the keys.
CREATE OR REPLACE FUNCTION look_up(by_id uuid, by_number bigint, by_login text, by_email text, by_cpf text)
RETURNS SETOF account
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT account.* FROM account
    WHERE (account.id = by_id OR account.number = by_number OR folded(account.login) = folded(by_login)
            OR folded(account.email) = folded(by_email) OR account.cpf = by_cpf)
        AND account.erased_at IS NULL
    LIMIT 1
$$;
