-- Accounts that users open and name themselves. They move money only among
-- themselves and with the outside world.

-- An account as its owner sees it.
CREATE TYPE opened AS (outcome text, id uuid, balance bigint, name text, type text, owner uuid, created_at timestamptz);

-- `account_id` is chosen by the caller and is the idempotency key. An opening
-- balance comes from the outside world.
CREATE FUNCTION open_account(
    account_id uuid,
    of_owner uuid,
    with_name text,
    of_type text,
    opening bigint,
    in_currency text
) RETURNS opened LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    outside uuid;
    fresh account;
    earlier account;
    outcome text := 'opened';
BEGIN
    outside := house_account('external', in_currency);
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
        outcome := (book(account_id, 'opening', outside, account_id, opening, in_currency)).outcome;
        -- Nothing can be in the way of money coming to a new account but its own id.
        IF outcome = 'moved' THEN
            outcome := 'opened';
        ELSE
            RAISE EXCEPTION 'opening %: %', account_id, outcome;
        END IF;
    END IF;
    RETURN ROW(outcome, fresh.id, opening, fresh.name, fresh.type, fresh.owner, fresh.created_at)::opened;
END $$;

CREATE FUNCTION further_account(of_owner uuid, with_name text) RETURNS account LANGUAGE sql STABLE AS $$
    SELECT * FROM account WHERE kind = 'further' AND name = with_name AND (of_owner IS NULL OR owner = of_owner)
$$;

-- From the outside world to an account of the caller.
CREATE FUNCTION deposit(transfer_id uuid, of_owner uuid, to_name text, of_amount bigint)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    target account := further_account(of_owner, to_name);
BEGIN
    IF target.id IS NULL THEN
        RETURN refused('unknown_account');
    END IF;
    RETURN book(transfer_id, 'deposit', house_account('external', target.currency), target.id, of_amount,
                target.currency);
END $$;

-- From an account of the caller to the outside world.
CREATE FUNCTION withdraw(transfer_id uuid, of_owner uuid, from_name text, of_amount bigint)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    source account := further_account(of_owner, from_name);
BEGIN
    IF source.id IS NULL THEN
        RETURN refused('unknown_account');
    END IF;
    RETURN book(transfer_id, 'withdrawal', source.id, house_account('external', source.currency), of_amount,
                source.currency);
END $$;

-- From an account of the caller to anybody's.
CREATE FUNCTION send(transfer_id uuid, of_owner uuid, from_name text, to_name text, of_amount bigint)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    source account := further_account(of_owner, from_name);
    target account := further_account(NULL, to_name);
BEGIN
    IF source.id IS NULL OR target.id IS NULL THEN
        RETURN refused('unknown_account');
    END IF;
    IF source.currency <> target.currency THEN
        RETURN refused('other_currency');
    END IF;
    RETURN book(transfer_id, 'send', source.id, target.id, of_amount, source.currency);
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_account, deposit, withdraw, send TO wharf_payments;
