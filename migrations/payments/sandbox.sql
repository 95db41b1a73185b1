-- Money without value. It comes from the house account `sandbox` and goes there, never to those of real money.

-- Pays in at once to an account of the caller.
CREATE OR REPLACE FUNCTION deposit(transfer_id uuid, of_owner uuid, to_name text, of_amount bigint)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    target account := further_account(of_owner, to_name);
BEGIN
    IF target.id IS NULL THEN
        RETURN refused('unknown_account');
    END IF;
    PERFORM only_in_sandbox();
    RETURN book(transfer_id, 'deposit', house_account('sandbox', target.currency), target.id, of_amount,
                target.currency);
END $$;

-- Real money is never minted, whatever a component requests.
CREATE OR REPLACE FUNCTION only_in_sandbox() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM money_mode WHERE is_sandbox;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this database holds real money' USING ERRCODE = 'restrict_violation';
    END IF;
END $$;

-- `account_id` is chosen by the caller and is the idempotency key. Only a sandbox opens accounts with money in them.
CREATE OR REPLACE FUNCTION open_account(
    account_id uuid,
    of_owner uuid,
    with_name text,
    of_type text,
    opening bigint,
    in_currency text
) RETURNS opened LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    fresh account;
    earlier account;
    outcome text := 'opened';
BEGIN
    INSERT INTO holder (id) VALUES (of_owner) ON CONFLICT DO NOTHING;
    INSERT INTO account (id, kind, owner, currency, name, type, balance, held)
    VALUES (account_id, 'further', of_owner, in_currency, with_name, of_type, 0, 0)
    ON CONFLICT DO NOTHING
    RETURNING * INTO fresh;
    IF fresh.id IS NULL THEN
        SELECT * INTO earlier FROM account WHERE id = account_id;
        IF earlier.id IS NULL THEN
            outcome := 'name_taken';
        ELSIF (earlier.owner, earlier.name, earlier.type, earlier.currency, opening)
            IS DISTINCT FROM (of_owner, with_name, of_type, in_currency,
                              coalesce((SELECT amount FROM transfer WHERE transfer.id = account_id), 0))
        THEN
            outcome := 'id_taken';
        ELSE
            outcome := 'replayed';
            fresh := earlier;
        END IF;
    ELSIF opening > 0 THEN
        PERFORM only_in_sandbox();
        outcome := (book(account_id, 'opening', house_account('sandbox', in_currency), account_id, opening,
                         in_currency)).outcome;
        -- A payment into a new account can fail only because its id is taken.
        IF outcome = 'moved' THEN
            outcome := 'opened';
        ELSE
            RAISE EXCEPTION 'opening %: %', account_id, outcome;
        END IF;
    END IF;
    RETURN ROW(outcome, fresh.id, opening, fresh.name, fresh.type, fresh.owner, fresh.created_at)::opened;
END $$;

REVOKE ALL ON FUNCTION deposit, only_in_sandbox, open_account FROM PUBLIC;
GRANT EXECUTE ON FUNCTION deposit, open_account TO wharf_payments;
