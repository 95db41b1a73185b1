-- Takes over an account of a replaced system, once: a line that was taken over before changes nothing. Answers
-- 'imported', 'present', or which of its names is taken.
CREATE OR REPLACE FUNCTION import_account(
    in_session uuid, from_address text, request text,
    with_id uuid, with_number bigint, with_login text, with_email text, is_proven bool, with_name text,
    with_surname text, with_cpf text, with_telegram_id bigint, with_password text, with_roles text[]
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    broken text;
    importer uuid;
BEGIN
    SELECT me.id INTO importer FROM caller(in_session) AS me WHERE 'admin' = ANY (me.roles);
    IF importer IS NULL THEN
        RETURN 'over';
    END IF;
    IF EXISTS (SELECT FROM account WHERE id = with_id) THEN
        RETURN 'present';
    END IF;
    INSERT INTO account (id, number, login, email, email_verified_at, name, surname, cpf, telegram_id, password, roles)
    OVERRIDING SYSTEM VALUE
    VALUES (with_id, coalesce(with_number, nextval(pg_get_serial_sequence('signin.account', 'number'))), with_login,
        with_email, CASE WHEN is_proven THEN now() END, with_name, with_surname, with_cpf, with_telegram_id,
        with_password, with_roles);
    IF with_number IS NOT NULL THEN
        PERFORM keep_number(with_number);
    END IF;
    PERFORM write_audit('imported', with_id, in_session, from_address, request, importer);
    INSERT INTO events.outbox (kind, aggregate, payload)
    VALUES ('user:created', 'user:' || with_id, jsonb_build_object('id', with_id, 'email', with_email));
    RETURN 'imported';
EXCEPTION WHEN unique_violation THEN
    GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
    RETURN CASE broken
        WHEN 'account_pkey' THEN 'present'
        WHEN 'account_login_taken' THEN 'login_taken'
        WHEN 'account_email_taken' THEN 'email_taken'
        WHEN 'account_cpf_taken' THEN 'cpf_taken'
        WHEN 'account_number' THEN 'number_taken'
        ELSE 'present'
    END;
END $$;

-- Numbers that are drawn later are higher than one that was brought along.
CREATE OR REPLACE FUNCTION keep_number(brought bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = signin, pg_temp AS $$
    SELECT setval(pg_get_serial_sequence('signin.account', 'number'), greatest(brought, max(number))) FROM account
$$;
