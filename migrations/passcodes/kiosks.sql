-- For functions whose kiosks are set up with a passcode. They come as `wharf_passcodes`, which reads no table and no
-- other schema but `accounts`. The statements of signin name these functions without a schema: each role calls those of
-- its own schema, and these pass the call on as the owner.

CREATE OR REPLACE FUNCTION find_passcode_owner(with_code text, from_address text, request text)
RETURNS TABLE (
    id uuid, number bigint, login text, email text, is_email_verified bool, name text, surname text, cpf text,
    telegram_id bigint, roles text[], has_totp bool, is_disabled bool
)
LANGUAGE plpgsql ROWS 1 SECURITY DEFINER SET search_path = signin, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT owner.* FROM signin.find_passcode_owner(with_code, from_address, request) AS owner;
END $$;

CREATE OR REPLACE FUNCTION redeem_passcode(with_code text, from_address text, request text)
RETURNS TABLE (
    id uuid, number bigint, login text, email text, is_email_verified bool, name text, surname text, cpf text,
    telegram_id bigint, roles text[], has_totp bool, is_disabled bool
)
LANGUAGE plpgsql ROWS 1 SECURITY DEFINER SET search_path = signin, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT owner.* FROM signin.redeem_passcode(with_code, from_address, request) AS owner;
END $$;

-- Tries of passcodes are counted here, and lines of the trail that name no account. With those of sign-ins, a fault in a kiosk's
-- function could lock people out, and let passwords be guessed without a limit.
CREATE OR REPLACE FUNCTION refuse_other_gates(gates text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM unnest(gates) AS gate
        WHERE split_part(gate, ':', 2) NOT IN ('passcode', 'passcode-anywhere', 'recorded-unknown')
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'kiosks count tries of passcodes alone';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION take_try(gates text[], limits bigint[], windows bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = signin, pg_temp AS $$
BEGIN
    PERFORM passcodes.refuse_other_gates(gates);
    RETURN signin.take_try(gates, limits, windows);
END $$;

CREATE OR REPLACE FUNCTION forgive_try(gates text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = signin, pg_temp AS $$
BEGIN
    PERFORM passcodes.refuse_other_gates(gates);
    RETURN signin.forgive_try(gates);
END $$;

-- Of a kiosk: it names no account, so no function writes into the trail of a person.
CREATE OR REPLACE FUNCTION write_refusal(of_account uuid, reason text, from_address text, request text) RETURNS bool
LANGUAGE plpgsql SECURITY DEFINER SET search_path = signin, pg_temp AS $$
BEGIN
    RETURN signin.write_refusal(NULL, reason, from_address, request);
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA passcodes FROM PUBLIC;
