-- Payments through the PSP: what was asked for, what the PSP's payments for it
-- turned out to be, and the money that follows from that.
--
-- What a payment means is decided by the component (its rules are pure and tested
-- there). Whatever it decides names the status and verdict it was decided upon:
-- if another request changed them meanwhile the answer is 'changed', and the
-- component looks again.

CREATE TABLE checkout (
    -- Chosen by whoever asked for it. It is also the id of the transfer that books
    -- the money: a checkout is credited once, whatever happens.
    id          uuid PRIMARY KEY,
    opener      text NOT NULL,
    reference   text NOT NULL,
    customer    text NOT NULL,
    owner       uuid NOT NULL,
    amount      bigint NOT NULL CONSTRAINT checkout_amount CHECK (amount BETWEEN 1 AND 1000000000000),
    currency    text NOT NULL,
    description text NOT NULL,
    -- Until the PSP has it, or needs it no more: it is often a third person's.
    email       text,
    method      text NOT NULL CONSTRAINT checkout_method CHECK (method IN ('link', 'qr')),
    -- The account that the money is for.
    credit      uuid NOT NULL,
    status      text NOT NULL DEFAULT 'payment_service_unavailable' CONSTRAINT checkout_status CHECK (status IN (
                    'payment_service_unavailable', 'pending', 'in_process', 'rejected',
                    'approved', 'expired', 'cancelled', 'refunded')),
    -- The PSP's name for it, where to pay and what to scan, once the PSP has answered.
    psp_id      text,
    link        text,
    scan        text,
    expires_at  timestamptz NOT NULL,
    -- When the sweep looks next, and how often it did since the status was final or not.
    visit_at    timestamptz,
    visits      int NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT checkout_credit FOREIGN KEY (credit, currency) REFERENCES account (id, currency)
);

CREATE INDEX checkout_by_reference ON checkout (reference, created_at);
CREATE INDEX checkout_by_customer ON checkout (customer, created_at);
CREATE INDEX checkout_to_visit ON checkout (visit_at) WHERE visit_at IS NOT NULL;

-- A payment at the PSP, and what became of it here.
CREATE TABLE psp_payment (
    id        text PRIMARY KEY,
    checkout  uuid NOT NULL REFERENCES checkout,
    -- noted: no money in it (yet). accepted: booked. disputed: it says another amount
    -- or currency than was asked for. returning: it has to be sent back. returned.
    verdict   text NOT NULL CONSTRAINT psp_payment_verdict CHECK (
                  verdict IN ('noted', 'accepted', 'disputed', 'returning', 'returned')),
    -- As the PSP told it last.
    state     text NOT NULL,
    amount    bigint NOT NULL,
    currency  text NOT NULL,
    -- How much of what was booked has gone back, bit by bit or at once.
    refunded  bigint NOT NULL DEFAULT 0,
    seen_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX psp_payment_of_checkout ON psp_payment (checkout);
CREATE INDEX psp_payment_disputed ON psp_payment (seen_at) WHERE verdict = 'disputed';
CREATE UNIQUE INDEX psp_payment_accepted_once ON psp_payment (checkout) WHERE verdict = 'accepted';

-- A checkout as it is read: times as milliseconds.
CREATE VIEW checkout_card AS
SELECT
    id,
    opener,
    reference,
    customer,
    owner,
    amount,
    currency,
    description,
    email,
    method,
    status,
    psp_id,
    link,
    scan,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM updated_at) * 1000)::bigint AS updated_at,
    coalesce((
        SELECT array_agg(psp_payment.id ORDER BY psp_payment.id) FROM psp_payment
        WHERE psp_payment.checkout = checkout.id AND psp_payment.verdict = 'returning'
    ), '{}') AS to_return
FROM checkout;

CREATE TYPE visited AS (outcome text, card checkout_card);

CREATE FUNCTION seen(what text, of_checkout uuid) RETURNS visited LANGUAGE sql AS $$
    SELECT what, (SELECT card FROM checkout_card AS card WHERE card.id = of_checkout)
$$;

-- Every change of status is an event, written with the change.
CREATE FUNCTION tell_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events.outbox (kind, aggregate, payload)
    VALUES ('payment:' || NEW.status, 'payment:' || NEW.id, jsonb_build_object(
        'payment_id', NEW.id,
        'opener', NEW.opener,
        'order_id', NEW.reference,
        'customer_id', NEW.customer,
        'owner_id', NEW.owner,
        'amount', NEW.amount,
        'currency', NEW.currency,
        'status', NEW.status
    ));
    RETURN NULL;
END $$;

CREATE TRIGGER checkout_is_told AFTER UPDATE OF status ON checkout
    FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION tell_status();

CREATE FUNCTION is_open(status text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$
    SELECT status IN ('payment_service_unavailable', 'pending', 'in_process', 'rejected')
$$;

-- When to look at a checkout again. Waiting for the payer or the PSP: soon, then
-- ever less often, and once more when the time is up. Sending money back: until
-- the PSP has it. After the end four looks over a day for what comes late, then for
-- half a year, in which a card's holder may take the money back, daily and, the
-- older it is, less than daily.
CREATE FUNCTION next_visit(it checkout, sending_back bool) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN sending_back THEN now() + interval '5 seconds' * power(2, least(it.visits, 7))
        WHEN is_open(it.status) AND it.expires_at > now() THEN
            least(now() + interval '5 seconds' * power(2, least(it.visits, 7)), it.expires_at + interval '1 second')
        WHEN is_open(it.status) THEN now() + interval '5 seconds' * power(2, least(it.visits, 7))
        WHEN it.psp_id IS NULL THEN NULL
        WHEN it.visits < 4 THEN now() + interval '5 minutes' * power(6, it.visits)
        WHEN it.created_at > now() - interval '180 days' THEN
            now() + greatest(interval '1 day', (now() - it.created_at) / 8)
    END
$$;

-- `to_name` is an account of the owner that the money is for; sales when absent.
CREATE FUNCTION open_checkout(
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
            -- The request itself asks the PSP first; this is for when it dies over it.
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

-- The PSP knows the checkout now. The first answer stands.
CREATE FUNCTION accept_checkout(checkout_id uuid, named text, to_link text, to_scan text)
RETURNS visited LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it checkout;
BEGIN
    SELECT * INTO it FROM checkout WHERE id = checkout_id AND psp_id IS NULL FOR NO KEY UPDATE;
    IF it.id IS NULL THEN
        RETURN seen('replayed', checkout_id);
    END IF;
    IF it.status = 'payment_service_unavailable' THEN
        it.status := 'pending';
    END IF;
    it.psp_id := named;
    it.visits := 0;
    UPDATE checkout
    SET psp_id = named, link = to_link, scan = to_scan, email = NULL, status = it.status, updated_at = now(),
        visits = 0, visit_at = next_visit(it, false)
    WHERE id = checkout_id;
    RETURN seen('accepted', checkout_id);
END $$;

-- Books the money of a checkout: from the PSP, or from the outside world when a
-- person says that it was paid otherwise.
CREATE FUNCTION credit_checkout(it checkout, from_house text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    to_user bool := (SELECT kind <> 'house' FROM account WHERE id = it.credit);
BEGIN
    RETURN (book(it.id, CASE WHEN to_user THEN 'deposit' ELSE 'sale' END, house_account(from_house, it.currency),
                 it.credit, it.amount, it.currency, it.reference, it.description)).outcome;
END $$;

-- Takes money of a checkout back to where it came from. When the PSP has given it back
-- already and the user has spent it, the house bears it.
CREATE FUNCTION uncredit_checkout(it checkout, wanted bigint, is_gone bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    original transfer;
    outcome text := 'moved';
BEGIN
    IF wanted > 0 THEN
        SELECT * INTO original FROM transfer WHERE id = it.id;
        outcome := (give_back(gen_random_uuid(), original, wanted, it.description)).outcome;
        IF outcome = 'insufficient_funds' AND is_gone THEN
            outcome := (book(gen_random_uuid(), 'loss', house_account('losses', it.currency),
                             house_account('psp', it.currency), wanted, it.currency, it.reference,
                             it.description)).outcome;
        END IF;
    END IF;
    RETURN outcome;
END $$;

-- Carries out what was decided about a payment at the PSP. Money comes when the verdict
-- becomes 'accepted' and goes when that ends, or as far as the PSP has refunded of it.
CREATE FUNCTION conclude(
    checkout_id uuid,
    decided_upon_status text,
    decided_upon_verdict text,
    new_status text,
    new_verdict text,
    payment_id text,
    payment_state text,
    of_amount bigint,
    in_currency text,
    of_refunded bigint
) RETURNS visited LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it checkout;
    known psp_payment;
    gone bigint;
    moved text;
BEGIN
    SELECT * INTO it FROM checkout WHERE id = checkout_id FOR NO KEY UPDATE;
    SELECT * INTO known FROM psp_payment WHERE id = payment_id AND checkout = checkout_id;
    IF it.id IS NULL OR (it.status, known.verdict) IS DISTINCT FROM (decided_upon_status, decided_upon_verdict) THEN
        RETURN seen('changed', checkout_id);
    END IF;
    gone := coalesce(known.refunded, 0);
    IF new_verdict = 'accepted' AND known.verdict IS DISTINCT FROM 'accepted' THEN
        moved := credit_checkout(it, 'psp');
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
    INSERT INTO psp_payment (id, checkout, verdict, state, amount, currency, refunded)
    VALUES (payment_id, checkout_id, new_verdict, payment_state, of_amount, in_currency, gone)
    ON CONFLICT (id) DO UPDATE
    SET verdict = excluded.verdict, state = excluded.state, amount = excluded.amount, currency = excluded.currency,
        refunded = excluded.refunded, seen_at = now()
    WHERE psp_payment.checkout = checkout_id;
    IF NOT FOUND THEN
        -- Whatever the PSP says whose it is by now: a payment is for one checkout, and nothing was booked here.
        RAISE EXCEPTION 'payment % is for another checkout than %', payment_id, checkout_id
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'psp_payment_pkey';
    END IF;
    IF it.status <> new_status OR new_verdict = 'returning' THEN
        it.status := new_status;
        it.visits := 0;
        UPDATE checkout
        SET status = new_status, updated_at = now(), visits = 0, visit_at = next_visit(it, new_verdict = 'returning')
        WHERE id = checkout_id;
    END IF;
    RETURN seen('concluded', checkout_id);
END $$;

-- A change of status that no payment at the PSP is the reason for: the time is up,
-- the opener called it off or wants it back, an admin knows better.
CREATE FUNCTION change_status(checkout_id uuid, decided_upon_status text, new_status text)
RETURNS visited LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it checkout;
    moved text := 'moved';
    sending_back bool := false;
BEGIN
    SELECT * INTO it FROM checkout WHERE id = checkout_id FOR NO KEY UPDATE;
    IF it.id IS NULL OR it.status <> decided_upon_status THEN
        RETURN seen('changed', checkout_id);
    END IF;
    IF new_status = 'approved' THEN
        moved := credit_checkout(it, 'external');
    ELSIF it.status = 'approved' AND new_status = 'refunded' THEN
        moved := uncredit_checkout(it, it.amount - coalesce((
            SELECT refunded FROM psp_payment WHERE checkout = checkout_id AND verdict = 'accepted'), 0), false);
        IF moved = 'moved' THEN
            UPDATE psp_payment SET verdict = 'returning', refunded = it.amount WHERE checkout = checkout_id AND verdict = 'accepted';
            sending_back := FOUND;
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

-- Takes checkouts that have come due and says when they come due next, so that a
-- sweep that dies over one costs time and nothing else.
CREATE FUNCTION visit_checkouts(at_most int)
RETURNS SETOF checkout_card LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT id FROM checkout WHERE visit_at <= now() ORDER BY visit_at LIMIT at_most
        FOR NO KEY UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE checkout
        SET visits = visits + 1,
            visit_at = next_visit(checkout, EXISTS (
                SELECT FROM psp_payment WHERE psp_payment.checkout = checkout.id AND verdict = 'returning'))
        FROM due WHERE checkout.id = due.id
        RETURNING checkout.id
    )
    SELECT checkout_card.* FROM checkout_card JOIN taken USING (id);
END $$;

REVOKE ALL ON checkout, psp_payment, checkout_card FROM wharf_payments;
GRANT SELECT ON checkout, psp_payment, checkout_card TO wharf_payments;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_checkout, accept_checkout, conclude, change_status, visit_checkouts TO wharf_payments;
