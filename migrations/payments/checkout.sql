-- The money of payments through the provider.

-- `to_name` is the account of the owner that the money goes to, empty for their wallet, and null for sales.
CREATE OR REPLACE FUNCTION open_checkout(
    checkout_id uuid,
    by_opener text,
    for_reference text,
    for_customer text,
    for_owner uuid,
    of_amount bigint,
    in_currency text,
    described text,
    to_email text,
    by_method text,
    to_name text,
    until timestamptz
) RETURNS visited LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    target uuid;
    earlier checkout;
BEGIN
    IF to_name IS NULL THEN
        target := house_account('sales', in_currency);
    ELSIF to_name = '' THEN
        target := main_account(for_owner, in_currency);
    ELSE
        target := (further_account(for_owner, to_name)).id;
        IF target IS NULL THEN
            RETURN seen('unknown_account', NULL);
        END IF;
    END IF;
    INSERT INTO checkout (id, opener, reference, customer, owner, amount, currency, description, email, method,
                          credit, expires_at, visit_at)
    VALUES (checkout_id, by_opener, for_reference, for_customer, for_owner, of_amount, in_currency, described,
            to_email, by_method, target, until,
            -- The request itself asks the PSP first; this is for a request that dies before.
            now() + interval '15 seconds')
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN seen('opened', checkout_id);
    END IF;
    SELECT * INTO earlier FROM checkout WHERE id = checkout_id;
    IF (earlier.opener, earlier.reference, earlier.customer, earlier.owner, earlier.amount, earlier.currency,
        earlier.credit, earlier.method)
        IS DISTINCT FROM (by_opener, for_reference, for_customer, for_owner, of_amount, in_currency, target, by_method)
    THEN
        RETURN seen('id_taken', NULL);
    END IF;
    RETURN seen('replayed', checkout_id);
END $$;

-- Books the money of a checkout: from the provider, or from the outside world when an admin says that it was paid
-- otherwise. A user's deposit can be held for a while: the holder of a card may take it back.
DROP FUNCTION IF EXISTS credit_checkout(checkout, text);
CREATE OR REPLACE FUNCTION credit_checkout(it checkout, from_house text, held_for interval)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    to_user bool := (SELECT kind <> 'house' FROM account WHERE id = it.credit);
    transfer_kind text := CASE WHEN to_user THEN 'deposit' ELSE 'sale' END;
BEGIN
    RETURN (book(it.id, transfer_kind, house_account(from_house, it.currency), it.credit, it.amount, it.currency, it.reference, it.description, NULL,
                 CASE WHEN to_user AND held_for > interval '0' THEN now() + held_for END)).outcome;
END $$;

-- Moves money of a checkout back to its source. When the provider has given it back already, the money that the user has
-- is taken, and the user owes the rest.
CREATE OR REPLACE FUNCTION uncredit_checkout(it checkout, wanted bigint, is_gone bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    original transfer;
    source account;
    there bigint := wanted;
    advance uuid := gen_random_uuid();
    outcome text := 'moved';
BEGIN
    IF wanted <= 0 THEN
        RETURN 'moved';
    END IF;
    SELECT * INTO original FROM transfer WHERE id = coalesce(it.restored_by, it.id);
    IF is_gone THEN
        SELECT * INTO source FROM account WHERE id = original.credit;
        IF source.kind <> 'house' THEN
            PERFORM FROM account WHERE owner = source.owner AND currency = it.currency ORDER BY id FOR NO KEY UPDATE;
            PERFORM free_due_holds(source.id);
            SELECT balance - held + coalesce((SELECT amount FROM hold WHERE payment = original.id), 0) INTO there
            FROM account WHERE id = source.id;
            there := least(wanted, there);
        END IF;
    END IF;
    IF there > 0 THEN
        outcome := (give_back(gen_random_uuid(), original, there, it.description)).outcome;
    END IF;
    IF there < wanted AND outcome = 'moved' THEN
        outcome := (book(advance, 'receivable', house_account('receivables', it.currency),
                         house_account('psp', it.currency), wanted - there, it.currency, it.reference,
                         it.description)).outcome;
        INSERT INTO receivable (id, owner, currency, amount, checkout)
        VALUES (advance, source.owner, it.currency, wanted - there, it.id);
        -- Money of the same user on other accounts is theirs to pay with.
        PERFORM settle_receivables(source.owner, it.currency, NULL);
    END IF;
    RETURN outcome;
END $$;

-- A dispute was won: the money that the provider took back comes again, except for parts that have to go back.
CREATE OR REPLACE FUNCTION restore_checkout(it checkout, back bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    transfer_kind text := (SELECT CASE kind WHEN 'house' THEN 'sale' ELSE 'deposit' END FROM account WHERE id = it.credit);
    restoring uuid := gen_random_uuid();
    outcome text;
    lost receivable;
    part bigint;
BEGIN
    IF back = 0 THEN
        RETURN 'moved';
    END IF;
    outcome := (book(restoring, transfer_kind, house_account('psp', it.currency), it.credit, back, it.currency, it.reference, 'A dispute was won: ' || it.description)).outcome;
    IF outcome = 'moved' THEN
        UPDATE checkout SET restored_by = restoring WHERE id = it.id;
        -- A part that was written off was the house's loss, not the user's.
        FOR lost IN
            SELECT * FROM receivable WHERE receivable.checkout = it.id AND written_off > 0
            ORDER BY created_at, id FOR NO KEY UPDATE
        LOOP
            EXIT WHEN back = 0;
            part := least(lost.written_off, back);
            PERFORM book(gen_random_uuid(), 'settlement', it.credit, house_account('losses', it.currency), part,
                         it.currency, it.reference, 'A dispute was won that was written off');
            UPDATE receivable SET settled = settled + part, written_off = written_off - part WHERE id = lost.id;
            back := back - part;
        END LOOP;
    END IF;
    RETURN outcome;
END $$;

-- Carries out the verdict on a payment at the provider. Its money is booked when the verdict becomes 'accepted', and goes
-- back when that ends, or in part as the provider reports refunds.
DROP FUNCTION IF EXISTS conclude(uuid, text, text, text, text, text, text, bigint, text, bigint);
DROP FUNCTION IF EXISTS conclude(uuid, text, text, text, text, text, text, bigint, text, bigint, int);
CREATE OR REPLACE FUNCTION conclude(
    checkout_id uuid,
    decided_upon_status text,
    decided_upon_verdict text,
    new_status text,
    new_verdict text,
    payment_id text,
    payment_state text,
    of_amount bigint,
    in_currency text,
    of_refunded bigint,
    -- For how many days a user's deposit is held.
    held_days int DEFAULT 0,
    -- Why, in the provider's words.
    why text DEFAULT NULL
) RETURNS visited LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it checkout;
    known psp_payment;
    gone bigint;
    moved text;
    owes_parts bool := false;
BEGIN
    SELECT * INTO it FROM checkout WHERE id = checkout_id FOR NO KEY UPDATE;
    SELECT * INTO known FROM psp_payment WHERE id = payment_id AND checkout = checkout_id;
    IF it.id IS NULL OR (it.status, known.verdict) IS DISTINCT FROM (decided_upon_status, decided_upon_verdict) THEN
        RETURN seen('changed', checkout_id);
    END IF;
    gone := coalesce(known.refunded, 0);
    IF new_verdict = 'accepted' AND known.is_taken_back THEN
        -- Together or not at all: when the account cannot hold it, all of it goes back to the payer.
        BEGIN
            gone := owe_parts_again(payment_id, of_refunded);
            moved := restore_checkout(it, known.refunded - gone);
            IF moved <> 'moved' THEN
                RAISE EXCEPTION USING ERRCODE = 'WH001';
            END IF;
        EXCEPTION WHEN SQLSTATE 'WH001' THEN
            RETURN seen(moved, checkout_id);
        END;
        owes_parts := gone > of_refunded;
        known.refunded := gone;
    ELSIF new_verdict = 'accepted' AND known.verdict IS DISTINCT FROM 'accepted' THEN
        moved := credit_checkout(it, 'psp', make_interval(days => held_days));
        IF moved NOT IN ('moved', 'replayed') THEN
            RETURN seen(moved, checkout_id);
        END IF;
    END IF;
    IF new_verdict = 'accepted' OR known.verdict = 'accepted' THEN
        gone := greatest(gone, CASE new_verdict WHEN 'accepted' THEN least(of_refunded, it.amount) ELSE it.amount END);
        moved := uncredit_checkout(it, gone - coalesce(known.refunded, 0), true);
        IF moved <> 'moved' THEN
            RAISE EXCEPTION 'checkout % is not given back: %', checkout_id, moved;
        END IF;
    END IF;
    INSERT INTO psp_payment (id, checkout, verdict, state, amount, currency, refunded, detail)
    VALUES (payment_id, checkout_id, new_verdict, payment_state, of_amount, in_currency, gone, why)
    ON CONFLICT (id) DO UPDATE
    SET verdict = excluded.verdict, state = excluded.state, amount = excluded.amount, currency = excluded.currency,
        refunded = excluded.refunded, detail = coalesce(excluded.detail, psp_payment.detail), seen_at = now(),
        is_taken_back = psp_payment.verdict = 'accepted' AND excluded.verdict = 'returned'
    WHERE psp_payment.checkout = checkout_id;
    IF NOT FOUND THEN
        -- A payment at the provider stays with one checkout, even when the provider later names another. Nothing was booked here.
        RAISE EXCEPTION 'payment % is for another checkout than %', payment_id, checkout_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'psp_payment_pkey';
    END IF;
    IF new_verdict <> 'accepted' THEN
        PERFORM take_parts_back(payment_id);
    END IF;
    IF it.status <> new_status OR new_verdict = 'returning' OR owes_parts THEN
        it.status := new_status;
        it.visits := 0;
        UPDATE checkout
        SET status = new_status, updated_at = now(), visits = 0,
            visit_at = next_visit(it, new_verdict = 'returning' OR owes_parts)
        WHERE id = checkout_id;
    END IF;
    RETURN seen('concluded', checkout_id);
END $$;

-- A change of status for another reason than a payment at the provider.
CREATE OR REPLACE FUNCTION apply_status(checkout_id uuid, decided_upon_status text, new_status text)
RETURNS visited LANGUAGE plpgsql AS $$
DECLARE
    it checkout;
    moved text := 'moved';
    sending_back bool := false;
    sent text;
BEGIN
    SELECT * INTO it FROM checkout WHERE id = checkout_id FOR NO KEY UPDATE;
    IF it.id IS NULL OR it.status <> decided_upon_status THEN
        RETURN seen('changed', checkout_id);
    END IF;
    IF new_status = 'approved' THEN
        moved := credit_checkout(it, 'external', interval '0');
    ELSIF it.status = 'approved' AND new_status = 'refunded' THEN
        moved := uncredit_checkout(it, it.amount - gone_of(checkout_id), false);
        IF moved = 'moved' THEN
            UPDATE psp_payment SET verdict = 'returning', refunded = it.amount
            WHERE checkout = checkout_id AND verdict = 'accepted'
            RETURNING id INTO sent;
            sending_back := FOUND;
            -- The rest goes back in one refund, with the parts that the provider has not carried out.
            PERFORM end_parts(sent, NULL);
        END IF;
    END IF;
    IF moved <> 'moved' THEN
        RETURN seen(moved, checkout_id);
    END IF;
    it.status := new_status;
    it.visits := 0;
    UPDATE checkout
    SET status = new_status, email = CASE WHEN is_open(new_status) THEN email END, updated_at = now(), visits = 0,
        visit_at = next_visit(it, sending_back)
    WHERE id = checkout_id;
    RETURN seen('changed_to', checkout_id);
END $$;

-- For a checkout that expires, or whose opener cancels or refunds it. Only an admin may say that it was paid otherwise:
-- `change_status_by_hand`.
CREATE OR REPLACE FUNCTION change_status(checkout_id uuid, decided_upon_status text, new_status text)
RETURNS visited LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    IF new_status NOT IN ('expired', 'cancelled', 'refunded') THEN
        RAISE EXCEPTION 'checkout % becomes % by nothing but a payment or an admin', checkout_id, new_status;
    END IF;
    RETURN apply_status(checkout_id, decided_upon_status, new_status);
END $$;

REVOKE ALL ON FUNCTION credit_checkout, uncredit_checkout, restore_checkout, conclude, apply_status, change_status FROM PUBLIC;
GRANT EXECUTE ON FUNCTION conclude, change_status TO wharf_payments;
