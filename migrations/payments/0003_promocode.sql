-- Promo codes: money that whoever knows a code may claim. A user's own code is
-- paid for when it is made; an admin's is paid for by the house when it is used.

CREATE TABLE promocode (
    -- Chosen by whoever asked for the code: the idempotency key. For a user's own
    -- code it is also the id of the transfer that paid for it.
    id                uuid PRIMARY KEY,
    code              text NOT NULL CONSTRAINT promocode_free UNIQUE
                      CONSTRAINT promocode_form CHECK (code ~ '^[A-Za-z0-9_-]{4,100}$')
                      -- These stand where a code would, in addresses.
                      CONSTRAINT promocode_no_verb CHECK (code NOT IN ('activate', 'create', 'generate')),
    amount            bigint NOT NULL CONSTRAINT promocode_amount CHECK (amount BETWEEN 1 AND 1000000000000),
    currency          text NOT NULL,
    max_uses          int NOT NULL CONSTRAINT promocode_uses CHECK (max_uses BETWEEN 1 AND 1000000),
    max_uses_per_user int CONSTRAINT promocode_uses_per_user CHECK (max_uses_per_user BETWEEN 1 AND 1000000),
    used_count        int NOT NULL DEFAULT 0,
    expires_at        timestamptz,
    created_by        uuid NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT promocode_not_overused CHECK (used_count BETWEEN 0 AND max_uses)
);

CREATE INDEX promocode_by_age ON promocode (created_at);
CREATE INDEX transfer_activations ON transfer (credit, reference) WHERE kind = 'promo_activation';

-- Adds a code; `custom` says that a person chose its text.
CREATE TYPE coined AS (
    outcome text, code text, amount bigint, max_uses int, max_uses_per_user int, expires_at timestamptz
);

CREATE FUNCTION coin(
    promocode_id uuid,
    with_code text,
    of_amount bigint,
    in_currency text,
    uses int,
    uses_per_user int,
    until timestamptz,
    by_user uuid
) RETURNS coined LANGUAGE plpgsql AS $$
DECLARE
    fresh promocode;
BEGIN
    INSERT INTO promocode (id, code, amount, currency, max_uses, max_uses_per_user, expires_at, created_by)
    VALUES (promocode_id, with_code, of_amount, in_currency, uses, uses_per_user, until, by_user)
    ON CONFLICT DO NOTHING
    RETURNING * INTO fresh;
    RETURN ROW(CASE WHEN fresh.id IS NULL THEN 'code_taken' ELSE 'coined' END, fresh.code, fresh.amount,
               fresh.max_uses, fresh.max_uses_per_user, fresh.expires_at)::coined;
END $$;

-- A code that the house pays for. `fallback` is the text when nobody chose one.
CREATE FUNCTION create_promocode(
    promocode_id uuid,
    by_user uuid,
    chosen text,
    fallback text,
    of_amount bigint,
    in_currency text,
    uses int,
    uses_per_user int,
    until timestamptz
) RETURNS coined LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    answer coined;
    earlier promocode;
BEGIN
    answer := coin(promocode_id, coalesce(chosen, fallback), of_amount, in_currency, uses, uses_per_user, until,
                   by_user);
    IF answer.outcome = 'code_taken' THEN
        SELECT * INTO earlier FROM promocode WHERE id = promocode_id;
        IF earlier.id IS NOT NULL THEN
            answer := ROW('replayed', earlier.code, earlier.amount, earlier.max_uses, earlier.max_uses_per_user,
                          earlier.expires_at)::coined;
            IF (coalesce(chosen, earlier.code), of_amount, in_currency, uses, uses_per_user, until, by_user)
                IS DISTINCT FROM (earlier.code, earlier.amount, earlier.currency, earlier.max_uses,
                                  earlier.max_uses_per_user, earlier.expires_at, earlier.created_by)
            THEN
                answer.outcome := 'id_taken';
            END IF;
        END IF;
    END IF;
    RETURN answer;
END $$;

-- A code for one use, paid out of the user's main. The text is random, so one
-- that is taken is a fault and undoes everything.
CREATE FUNCTION generate_promocode(transfer_id uuid, by_user uuid, with_code text, of_amount bigint, in_currency text)
RETURNS coined LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    promo uuid := house_account('promo', in_currency);
    paid movement;
    answer coined;
    earlier promocode;
BEGIN
    paid := book(transfer_id, 'promo_generation', main_account(by_user, in_currency), promo, of_amount, in_currency);
    IF paid.outcome = 'moved' THEN
        answer := coin(transfer_id, with_code, of_amount, in_currency, 1, NULL, NULL, by_user);
        IF answer.outcome <> 'coined' THEN
            RAISE EXCEPTION 'generated code is taken' USING ERRCODE = 'unique_violation', CONSTRAINT = 'promocode_free';
        END IF;
    ELSE
        SELECT * INTO earlier FROM promocode WHERE id = transfer_id AND paid.outcome = 'replayed';
        answer := ROW(paid.outcome, earlier.code, earlier.amount, earlier.max_uses, earlier.max_uses_per_user,
                      earlier.expires_at)::coined;
    END IF;
    RETURN answer;
END $$;

-- Claims a code's money for a user's main. Codes are locked before accounts.
CREATE FUNCTION activate_promocode(transfer_id uuid, of_user uuid, with_code text)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    claimed promocode;
    promo uuid;
    main uuid;
    earlier transfer;
    answer movement;
BEGIN
    SELECT * INTO claimed FROM promocode WHERE code = with_code FOR NO KEY UPDATE;
    SELECT * INTO earlier FROM transfer WHERE id = transfer_id;
    IF claimed.id IS NULL THEN
        RETURN refused(CASE WHEN earlier.id IS NULL THEN 'unknown_code' ELSE 'id_taken' END);
    END IF;
    IF earlier.id IS NULL THEN
        IF claimed.used_count >= claimed.max_uses THEN
            RETURN refused('used_up');
        END IF;
        IF claimed.expires_at <= now() THEN
            RETURN refused('expired');
        END IF;
    END IF;
    promo := house_account('promo', claimed.currency);
    main := main_account(of_user, claimed.currency);
    IF earlier.id IS NULL AND claimed.max_uses_per_user <= (
        SELECT count(*) FROM transfer
        WHERE credit = main AND reference = claimed.code AND kind = 'promo_activation'
    ) THEN
        RETURN refused('used_up_by_user');
    END IF;
    answer := book(transfer_id, 'promo_activation', promo, main, claimed.amount, claimed.currency, claimed.code);
    IF answer.outcome = 'moved' THEN
        UPDATE promocode SET used_count = used_count + 1 WHERE id = claimed.id;
    END IF;
    RETURN answer;
END $$;

-- Nobody can claim a code any more that the house would have paid for. One that a user
-- paid for is money, and stays.
CREATE FUNCTION withdraw_promocode(with_code text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it promocode;
BEGIN
    SELECT * INTO it FROM promocode WHERE code = with_code FOR NO KEY UPDATE;
    IF it.id IS NULL THEN
        RETURN 'unknown_code';
    END IF;
    PERFORM FROM transfer WHERE id = it.id;
    IF FOUND THEN
        RETURN 'paid_for';
    END IF;
    UPDATE promocode SET expires_at = least(expires_at, now()) WHERE id = it.id;
    RETURN 'withdrawn';
END $$;

REVOKE ALL ON promocode FROM wharf_payments;
GRANT SELECT ON promocode TO wharf_payments;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION create_promocode, generate_promocode, activate_promocode, withdraw_promocode TO wharf_payments;
