-- Destinations, and cash-outs of wallets to them.

-- Destinations of one user that are not removed.
CREATE OR REPLACE FUNCTION max_destinations() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 20';

-- A destination as its owner reads it, moments in milliseconds.
CREATE OR REPLACE VIEW destination_card AS
SELECT id, owner, kind, currency, holder_name, mask, millis(usable_at) AS usable_at, usable_at <= now() AS is_usable,
    millis(created_at) AS created_at
FROM destination
WHERE removed_at IS NULL;

DROP FUNCTION IF EXISTS add_destination(uuid, uuid, text, text, text, text, text, int);
CREATE FUNCTION add_destination(
    destination_id uuid,
    of_owner uuid,
    of_kind text,
    in_currency text,
    to_name text,
    to_account text,
    masked text,
    wait_hours int
) RETURNS TABLE (outcome text, card destination_card)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    earlier destination;
BEGIN
    INSERT INTO holder (id) VALUES (of_owner) ON CONFLICT DO NOTHING;
    PERFORM FROM holder WHERE id = of_owner FOR NO KEY UPDATE;
    SELECT * INTO earlier FROM destination WHERE id = destination_id;
    IF earlier.id IS NOT NULL THEN
        outcome := CASE WHEN (earlier.owner, earlier.kind, earlier.account) = (of_owner, of_kind, to_account)
            THEN 'replayed' ELSE 'id_taken' END;
    ELSIF EXISTS (
        SELECT FROM destination
        WHERE owner = of_owner AND kind = of_kind AND account = to_account AND removed_at IS NULL)
    THEN
        outcome := 'destination_known';
    ELSIF (SELECT count(*) FROM destination WHERE owner = of_owner AND removed_at IS NULL) >= max_destinations() THEN
        outcome := 'too_many_destinations';
    ELSE
        INSERT INTO destination (id, owner, kind, currency, holder_name, account, mask, usable_at)
        VALUES (destination_id, of_owner, of_kind, in_currency, to_name, to_account, masked,
                now() + make_interval(hours => wait_hours));
        INSERT INTO events.outbox (kind, aggregate, payload)
        SELECT 'notify:security', 'user:' || owner, jsonb_build_object(
            'user_id', owner,
            'template', 'destination-added',
            'params', jsonb_build_object(
                'account', mask,
                'usable_at', to_char(destination.usable_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')))
        FROM destination WHERE id = destination_id;
        outcome := 'moved';
    END IF;
    card := (SELECT it FROM destination_card AS it WHERE it.id = destination_id);
    RETURN NEXT;
END $$;

-- Cash-outs that are under way still go there.
CREATE OR REPLACE FUNCTION remove_destination(destination_id uuid, of_owner uuid)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    UPDATE destination SET removed_at = now()
    WHERE id = destination_id AND owner = of_owner AND removed_at IS NULL;
    RETURN CASE WHEN FOUND THEN 'moved' ELSE 'unknown_destination' END;
END $$;

-- Erases destinations of a user who was erased, as soon as no payout needs them.
CREATE OR REPLACE FUNCTION forget_destinations(of_owner uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE destination
    SET removed_at = coalesce(removed_at, now()), account = '', mask = '', holder_name = ''
    WHERE owner = of_owner AND account <> '' AND NOT EXISTS (
        SELECT FROM payout
        WHERE payout.destination = destination.id AND paid_at IS NULL AND returned_at IS NULL);
END $$;

-- Payouts end after their owner was erased, too.
CREATE OR REPLACE FUNCTION forget_after_payout(of_owner uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM holder WHERE id = of_owner AND erased_at IS NOT NULL;
    IF FOUND THEN
        PERFORM forget_destinations(of_owner);
    END IF;
END $$;

-- A withdrawal that an admin has to pay out.
CREATE OR REPLACE FUNCTION queue_payout(of_withdrawal uuid, of_owner uuid, to_destination uuid)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO payout (withdrawal, owner, seq, destination)
    SELECT id, of_owner, seq, to_destination FROM transfer WHERE id = of_withdrawal
$$;

-- Moves money from the wallet of the caller to a destination of theirs. The money leaves the wallet at once.
CREATE OR REPLACE FUNCTION start_cash_out(transfer_id uuid, of_owner uuid, to_destination uuid, of_amount bigint)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    target destination;
    is_repeated bool := EXISTS (SELECT FROM payout WHERE withdrawal = transfer_id);
    main uuid;
    answer movement;
BEGIN
    SELECT * INTO target FROM destination WHERE id = to_destination AND owner = of_owner;
    IF target.id IS NULL OR (target.removed_at IS NOT NULL AND NOT is_repeated) THEN
        RETURN refused('unknown_destination');
    END IF;
    IF target.usable_at > now() AND NOT is_repeated THEN
        RETURN refused('destination_waits');
    END IF;
    main := main_account(of_owner, target.currency);
    IF must_wait(transfer_id, of_owner, target.currency, NULL) THEN
        RETURN refused('receivable_open');
    END IF;
    answer := book(transfer_id, 'withdrawal', main, house_account('payouts', target.currency), of_amount,
                   target.currency, target.id::text, 'Cash-out to ' || target.mask);
    IF answer.outcome = 'moved' THEN
        PERFORM queue_payout(transfer_id, of_owner, target.id);
    END IF;
    RETURN answer;
END $$;

-- The owner changes their mind, before an admin has approved it.
CREATE OR REPLACE FUNCTION cancel_cash_out(of_withdrawal uuid, of_owner uuid)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    standing payout;
BEGIN
    SELECT * INTO standing FROM payout
    WHERE withdrawal = of_withdrawal AND owner = of_owner AND destination IS NOT NULL FOR NO KEY UPDATE;
    IF standing.withdrawal IS NULL THEN
        RETURN 'unknown_cash_out';
    ELSIF standing.returned_at IS NOT NULL THEN
        RETURN 'replayed';
    ELSIF standing.approved_at IS NOT NULL OR standing.paid_at IS NOT NULL THEN
        RETURN 'cash_out_under_way';
    END IF;
    RETURN return_payout(of_withdrawal, of_owner);
END $$;

-- The sum of payouts to a user that one admin approved alone within a day, because many small payouts are a large one.
-- Returned payouts count: the bank may have sent them.
CREATE OR REPLACE FUNCTION let_go_alone(by_admin uuid, to_user uuid, in_currency text)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(sum(done.amount), 0)
        FROM payout
        JOIN manual_act AS done ON subject = 'payout' AND about = withdrawal::text AND stage = 'done'
            AND act = CASE WHEN approved_at IS NULL THEN 'paid' ELSE 'approved' END
        WHERE payout.owner = to_user AND currency = in_currency
            AND actor = by_admin AND acted_at > now() - interval '1 day'
            AND coalesce(approved_at, paid_at) > now() - interval '1 day'
            AND NOT was_agreed(done));
END $$;

-- An admin approves a payout. It is paid at the bank only afterwards, so a payout that its owner cancels is never paid, too.
CREATE OR REPLACE FUNCTION approve_payout(of_withdrawal uuid, by_admin uuid, why text, alone_up_to bigint)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    standing payout;
    asked transfer;
BEGIN
    SELECT * INTO standing FROM payout WHERE withdrawal = of_withdrawal FOR NO KEY UPDATE;
    IF standing.withdrawal IS NULL THEN
        RETURN 'unknown_payout';
    ELSIF standing.returned_at IS NOT NULL THEN
        RETURN 'payout_returned';
    ELSIF standing.approved_at IS NOT NULL OR standing.paid_at IS NOT NULL THEN
        RETURN 'replayed';
    END IF;
    SELECT * INTO asked FROM transfer WHERE id = of_withdrawal;
    IF still_owes(standing.owner, asked.currency, NULL) THEN
        RETURN 'recipient_owes';
    END IF;
    IF NOT may_act('payout', asked.id::text, 'approved', asked.amount, asked.currency, standing.owner, by_admin, why,
                   alone_up_to - let_go_alone(by_admin, standing.owner, asked.currency))
    THEN
        RETURN 'proposed';
    END IF;
    UPDATE payout SET approved_at = now(), approved_by = by_admin WHERE withdrawal = of_withdrawal;
    PERFORM note_act('payout', asked.id::text, 'approved', asked.amount, asked.currency, by_admin, why);
    RETURN 'moved';
END $$;

REVOKE ALL ON destination_card FROM wharf_payments;
GRANT SELECT ON destination_card TO wharf_payments;
REVOKE ALL ON FUNCTION max_destinations, add_destination, remove_destination, forget_destinations, forget_after_payout,
    queue_payout, start_cash_out, cancel_cash_out, let_go_alone, approve_payout FROM PUBLIC;
GRANT EXECUTE ON FUNCTION add_destination, remove_destination, start_cash_out, cancel_cash_out, approve_payout
    TO wharf_payments;
