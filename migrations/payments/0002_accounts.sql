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

-- In plpgsql, which keeps its plan: a function in SQL that is not inlined is planned at every call.
CREATE FUNCTION further_account(of_owner uuid, with_name text) RETURNS account LANGUAGE plpgsql STABLE AS $$
DECLARE
    found account;
BEGIN
    SELECT * INTO found FROM account
    WHERE kind = 'further' AND name = with_name AND (of_owner IS NULL OR owner = of_owner);
    RETURN found;
END $$;

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

-- Withdrawals that a person carries out: the money has left the account and waits on
-- the house account `payouts` until somebody says that it was paid out.
CREATE TABLE payout (
    withdrawal uuid PRIMARY KEY REFERENCES transfer,
    paid_at    timestamptz,
    paid_by    uuid,
    CONSTRAINT payout_paid_by_somebody CHECK ((paid_at IS NULL) = (paid_by IS NULL))
);

CREATE INDEX payout_open ON payout (withdrawal) WHERE paid_at IS NULL;

-- A payout as admins look at it: times as milliseconds.
CREATE VIEW payout_card AS
SELECT
    transfer.id,
    transfer.seq,
    account.owner,
    holder.email,
    account.name AS account,
    transfer.amount,
    transfer.currency,
    (extract(epoch FROM transfer.created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM payout.paid_at) * 1000)::bigint AS paid_at,
    payout.paid_by
FROM payout
JOIN transfer ON transfer.id = payout.withdrawal
JOIN account ON account.id = transfer.debit
JOIN holder ON holder.id = account.owner;

-- From an account of the caller to the outside world: at once to `external`, where that
-- is only a game; otherwise to `payouts`.
CREATE FUNCTION withdraw(transfer_id uuid, of_owner uuid, from_name text, of_amount bigint, to_house text)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    source account := further_account(of_owner, from_name);
    answer movement;
BEGIN
    IF source.id IS NULL THEN
        RETURN refused('unknown_account');
    END IF;
    answer := book(transfer_id, 'withdrawal', source.id, house_account(to_house, source.currency), of_amount,
                   source.currency);
    IF answer.outcome = 'moved' AND to_house = 'payouts' THEN
        INSERT INTO payout (withdrawal) VALUES (transfer_id);
    END IF;
    RETURN answer;
END $$;

-- Somebody has paid a withdrawal out. Again: no effect.
CREATE FUNCTION pay_out(of_withdrawal uuid, by_user uuid)
RETURNS SETOF payout_card LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    asked transfer;
BEGIN
    UPDATE payout SET paid_at = now(), paid_by = by_user WHERE withdrawal = of_withdrawal AND paid_at IS NULL;
    IF FOUND THEN
        SELECT * INTO asked FROM transfer WHERE id = of_withdrawal;
        PERFORM book(gen_random_uuid(), 'payout', asked.credit, house_account('external', asked.currency),
                     asked.amount, asked.currency, of_withdrawal::text);
    END IF;
    RETURN QUERY SELECT * FROM payout_card WHERE id = of_withdrawal;
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

REVOKE ALL ON payout, payout_card FROM wharf_payments;
GRANT SELECT ON payout, payout_card TO wharf_payments;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_account, deposit, withdraw, pay_out, send TO wharf_payments;
