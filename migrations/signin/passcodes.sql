-- What a passcode that is shown leads to.

-- The account of a passcode, which stays valid.
CREATE OR REPLACE FUNCTION find_passcode_owner(with_code text, from_address text, request text)
RETURNS TABLE (
    id uuid, number bigint, login text, email text, is_email_verified bool, name text, surname text, cpf text,
    telegram_id bigint, roles text[], has_totp bool, is_disabled bool
)
LANGUAGE sql ROWS 1 AS $$
    WITH shown AS MATERIALIZED (
        SELECT owner FROM passcode JOIN account AS owner ON owner.id = passcode.account
        WHERE passcode.code = with_code AND passcode.expires_at > now() AND owner.disabled_at IS NULL
    )
    SELECT person.*
    FROM shown, person(shown.owner), write_audit('passcode-shown', (shown.owner).id, NULL, from_address, request)
$$;

-- The same, and uses the passcode up.
CREATE OR REPLACE FUNCTION redeem_passcode(with_code text, from_address text, request text)
RETURNS TABLE (
    id uuid, number bigint, login text, email text, is_email_verified bool, name text, surname text, cpf text,
    telegram_id bigint, roles text[], has_totp bool, is_disabled bool
)
LANGUAGE sql ROWS 1 AS $$
    WITH used AS (
        DELETE FROM passcode WHERE passcode.code = with_code AND passcode.expires_at > now()
        RETURNING passcode.account, write_audit('passcode-used', passcode.account, NULL, from_address, request)
    )
    SELECT person.* FROM used JOIN account AS owner ON owner.id = used.account, person(owner)
    WHERE owner.disabled_at IS NULL
$$;
