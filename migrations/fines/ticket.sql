-- Tickets, and the charges of tickets and fines.

-- Sells a ticket, unpaid unless it is free. The price was computed from a revision of the zone and from the ticket that it
-- extends; when one of them has changed since, it is stale.
DROP FUNCTION IF EXISTS create_ticket(
    uuid, bigint, bigint, text, uuid, timestamptz, timestamptz, bigint, bigint, timestamptz
);
CREATE OR REPLACE FUNCTION create_ticket(
    the_request uuid, the_zone bigint, the_revision bigint, the_plate text, the_buyer uuid, starts timestamptz,
    ends timestamptz, the_price bigint, follows bigint, from_when timestamptz, other_plates text[] DEFAULT '{}'
) RETURNS TABLE (outcome text, subject ticket)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    z zone;
    t ticket;
    refusal text;
BEGIN
    -- Locked, so that it neither ends early nor is extended by another ticket meanwhile.
    PERFORM FROM ticket WHERE id = follows FOR NO KEY UPDATE;
    SELECT * INTO t FROM ticket WHERE request = the_request;
    IF FOUND THEN
        RETURN QUERY SELECT 'created', t;
        RETURN;
    END IF;
    SELECT * INTO z FROM zone WHERE id = the_zone AND removed_at IS NULL;
    refusal := CASE
        WHEN z.id IS NULL THEN 'unknown_zone'
        WHEN NOT z.available THEN 'zone_unavailable'
        WHEN z.revision <> the_revision THEN 'stale'
        WHEN follows IS NOT NULL AND NOT EXISTS (
            SELECT FROM ticket WHERE id = follows AND end_at = starts AND paid_at IS NOT NULL AND removed_at IS NULL
        ) THEN 'stale'
        WHEN EXISTS (
            SELECT FROM unnest(the_plate || other_plates) AS asked (plate)
            WHERE NOT EXISTS (SELECT FROM car WHERE car.plate = asked.plate AND listed)
        ) THEN 'unknown_car'
        WHEN is_extended(follows) THEN 'already_extended'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::ticket;
        RETURN;
    END IF;
    INSERT INTO ticket (
        request, zone_id, plate, buyer, start_at, end_at, price, currency, paid_at, extends, stay_from, plate_count, revision
    )
    VALUES (
        the_request, the_zone, the_plate, the_buyer, starts, ends, the_price, z.currency,
        CASE WHEN the_price = 0 THEN now() END, follows, from_when, 1 + cardinality(other_plates), the_revision
    )
    ON CONFLICT (request) DO NOTHING
    RETURNING * INTO t;
    IF t.id IS NULL THEN
        SELECT * INTO t FROM ticket WHERE request = the_request;
    ELSE
        INSERT INTO ticket_plate (ticket_id, nth, plate)
        SELECT t.id, place + 1, plate FROM unnest(other_plates) WITH ORDINALITY AS named (plate, place);
    END IF;
    RETURN QUERY SELECT 'created', t;
END
$$;

CREATE OR REPLACE FUNCTION is_extended(the_ticket bigint) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM ticket WHERE extends = the_ticket AND paid_at IS NOT NULL AND removed_at IS NULL);

-- Whether the ticket that this one extends is paid and ends where this one begins. Its price is that of the longer stay less the
-- earlier part, so without the earlier part it is not for sale.
CREATE OR REPLACE FUNCTION still_extends(it ticket) RETURNS boolean
LANGUAGE sql STABLE
RETURN it.extends IS NULL OR EXISTS (
    SELECT FROM ticket AS earlier
    WHERE earlier.id = it.extends AND earlier.end_at = it.start_at AND earlier.paid_at IS NOT NULL
        AND earlier.removed_at IS NULL
);

-- The price paid for a stay before this ticket. Copies of the release before call it.
CREATE OR REPLACE FUNCTION paid_before(the_ticket bigint) RETURNS bigint
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE stay AS (
        SELECT ticket.id, ticket.extends, 0::bigint AS price FROM ticket WHERE ticket.id = the_ticket
        UNION ALL
        SELECT earlier.id, earlier.extends, earlier.price FROM stay JOIN ticket AS earlier ON earlier.id = stay.extends
    )
    SELECT coalesce(sum(price), 0)::bigint FROM stay
$$;

-- Hides an unpaid ticket. Only the owner of its car may, or its buyer when the car has none; of several cars the buyer
-- or the owner of all.
CREATE OR REPLACE FUNCTION remove_ticket(the_ticket bigint, the_caller uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    t ticket;
BEGIN
    SELECT * INTO t FROM ticket WHERE id = the_ticket AND removed_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'unknown_ticket';
    END IF;
    IF NOT (owns_cars_of(t, the_caller) OR (t.plate_count > 1 AND t.buyer IS NOT DISTINCT FROM the_caller)) THEN
        RETURN 'forbidden';
    END IF;
    IF t.paid_at IS NOT NULL THEN
        RETURN 'already_paid';
    END IF;
    UPDATE ticket SET removed_at = now() WHERE id = the_ticket;
    -- A payment for it that is under way goes back.
    UPDATE charge SET due_at = now() WHERE subject = 'ticket' AND subject_id = the_ticket AND status = 'opening';
    RETURN 'removed';
END
$$;

-- The open attempt of a payer, or a new one; none while a wallet of another payer pays, or the payer's own wallet pays
-- another part. The caller holds a lock on the subject.
DROP FUNCTION IF EXISTS open_charge(text, bigint, text, uuid, uuid, bigint, text, boolean, timestamptz, timestamptz);
CREATE OR REPLACE FUNCTION open_charge(
    the_subject text, the_id bigint, by_method text, the_payer uuid, the_payee uuid, the_amount bigint, the_currency text,
    is_waiver boolean, until timestamptz, held timestamptz, the_nth int DEFAULT 1, the_parts int DEFAULT NULL,
    the_total bigint DEFAULT NULL
) RETURNS charge
LANGUAGE plpgsql AS $$
DECLARE
    c charge;
BEGIN
    SELECT * INTO c FROM charge
    WHERE subject = the_subject AND subject_id = the_id AND status = 'opening' AND method = by_method
        AND (by_method = 'wallet' OR (
            payer = the_payer AND amount = the_amount AND waives = is_waiver AND nth = the_nth
            AND parts IS NOT DISTINCT FROM the_parts AND expires_at > now() + interval '1 minute'
        ))
    LIMIT 1;
    IF FOUND THEN
        IF c.payer = the_payer AND c.waives = is_waiver AND c.nth = the_nth AND c.parts IS NOT DISTINCT FROM the_parts THEN
            RETURN c;
        END IF;
        RETURN NULL;
    END IF;
    INSERT INTO charge (
        subject, subject_id, method, payer, payee, amount, currency, waives, expires_at, held_until, nth, parts, plan_total
    )
    VALUES (
        the_subject, the_id, by_method, the_payer, the_payee, the_amount, the_currency, is_waiver,
        CASE WHEN by_method = 'checkout' THEN greatest(until, now() + interval '1 minute') END,
        CASE WHEN by_method = 'wallet' THEN held END, the_nth, the_parts, the_total
    )
    RETURNING * INTO c;
    RETURN c;
END
$$;

-- Begins to pay a ticket.
CREATE OR REPLACE FUNCTION open_ticket_charge(the_ticket bigint, the_payer uuid, by_method text)
RETURNS TABLE (outcome text, subject ticket, due charge)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    t ticket;
    z zone;
    c charge;
    refusal text;
BEGIN
    SELECT * INTO t FROM ticket WHERE id = the_ticket AND removed_at IS NULL FOR NO KEY UPDATE;
    refusal := CASE
        WHEN t.id IS NULL THEN 'unknown_ticket'
        WHEN t.paid_at IS NOT NULL THEN 'already_paid'
        WHEN t.end_at <= clock_timestamp() THEN 'ticket_over'
        WHEN is_extended(t.extends) THEN 'already_extended'
        WHEN NOT still_extends(t) THEN 'ticket_changed'
    END;
    IF refusal IS NULL THEN
        SELECT * INTO z FROM zone WHERE id = t.zone_id;
        c := open_charge(
            'ticket', t.id, by_method, the_payer, z.payee, t.price, t.currency, false,
            least(now() + interval '30 minutes', t.end_at),
            CASE WHEN (z.rules #>> '{control,refund_early_end}')::boolean THEN t.end_at + interval '1 hour' END
        );
        IF c.id IS NULL THEN
            refusal := 'busy';
        END IF;
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::ticket, NULL::charge;
        RETURN;
    END IF;
    RETURN QUERY SELECT 'to_pay', t, c;
END
$$;

-- The money of a charge has moved: its ticket or fine is paid from now on. The money is owed back when another charge was
-- quicker or the subject is gone.
CREATE OR REPLACE FUNCTION charge_paid(the_charge uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    c charge;
    is_wanted boolean;
BEGIN
    SELECT * INTO c FROM charge WHERE id = the_charge;
    IF c.subject = 'ticket' THEN
        -- Locks the extended ticket first, so that only one of two extensions is paid.
        PERFORM FROM ticket WHERE id = (SELECT extends FROM ticket WHERE id = c.subject_id) FOR NO KEY UPDATE;
        PERFORM FROM ticket WHERE id = c.subject_id FOR NO KEY UPDATE;
        SELECT paid_at IS NULL AND removed_at IS NULL AND NOT is_extended(extends) AND still_extends(ticket) INTO is_wanted
        FROM ticket WHERE id = c.subject_id;
    ELSE
        PERFORM FROM fine WHERE id = c.subject_id FOR NO KEY UPDATE;
        is_wanted := fine_awaits(c);
    END IF;
    -- A checkout may be paid at the moment at which it is given up here.
    UPDATE charge SET status = 'paid'
    WHERE id = the_charge AND (status = 'opening' OR (status = 'void' AND method = 'checkout'));
    IF NOT FOUND THEN
        RETURN 'settled';
    END IF;
    IF NOT is_wanted THEN
        INSERT INTO refund (charge_id, amount, due_at) VALUES (c.id, c.amount, now());
    ELSIF c.subject = 'ticket' THEN
        UPDATE ticket SET paid_at = now() WHERE id = c.subject_id;
    ELSE
        PERFORM fine_paid(c);
    END IF;
    -- Other attempts are called off by the sweep.
    UPDATE charge SET due_at = now()
    WHERE subject = c.subject AND subject_id = c.subject_id AND status = 'opening' AND id <> c.id;
    RETURN 'paid';
END
$$;

-- The provider has sent the money of a charge back. Without a refund of ours, the payer, their bank or an admin of payments
-- has taken it back: the ticket or fine is unpaid again.
CREATE OR REPLACE FUNCTION charge_returned(the_charge uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    c charge;
BEGIN
    SELECT * INTO c FROM charge WHERE id = the_charge;
    IF c.subject = 'ticket' THEN
        PERFORM FROM ticket WHERE id = c.subject_id FOR NO KEY UPDATE;
    ELSE
        PERFORM FROM fine WHERE id = c.subject_id FOR NO KEY UPDATE;
    END IF;
    SELECT * INTO c FROM charge WHERE id = the_charge;
    UPDATE refund SET status = 'done' WHERE charge_id = the_charge;
    IF FOUND THEN
        RETURN 'settled';
    END IF;
    -- When the city wins the dispute it is paid after all.
    UPDATE charge SET status = 'void' WHERE id = the_charge AND status <> 'void';
    IF c.status = 'paid' AND c.subject = 'ticket' THEN
        UPDATE ticket SET paid_at = NULL WHERE id = c.subject_id;
    ELSIF c.status = 'paid' THEN
        PERFORM fine_returned(c);
    END IF;
    RETURN 'settled';
END
$$;

-- A charge will never be paid. Answers whether it was open.
CREATE OR REPLACE FUNCTION charge_void(the_charge uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
BEGIN
    UPDATE charge SET status = 'void' WHERE id = the_charge AND status = 'opening';
    RETURN FOUND;
END
$$;

-- The ledger or the provider has paid a refund. Answers whether it was owed.
CREATE OR REPLACE FUNCTION finish_refund(the_refund uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
BEGIN
    UPDATE refund SET status = 'done' WHERE id = the_refund AND status = 'owed';
    RETURN FOUND;
END
$$;

-- Ends a ticket now, or before it begins. The price of the shorter stay was computed from an earlier read of the ticket.
CREATE OR REPLACE FUNCTION end_ticket(
    the_ticket bigint, the_caller uuid, was_until timestamptz, ends timestamptz, new_price bigint
) RETURNS TABLE (outcome text, subject ticket)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = fines, pg_temp AS $$
DECLARE
    t ticket;
    c charge;
    refusal text;
    back bigint;
BEGIN
    SELECT * INTO t FROM ticket WHERE id = the_ticket AND removed_at IS NULL FOR NO KEY UPDATE;
    refusal := CASE
        WHEN t.id IS NULL THEN 'unknown_ticket'
        WHEN t.buyer IS DISTINCT FROM the_caller AND NOT owns_cars_of(t, the_caller) THEN 'forbidden'
        WHEN t.paid_at IS NULL THEN 'ticket_unpaid'
        WHEN is_extended(t.id) THEN 'already_extended'
        WHEN t.end_at <= clock_timestamp() THEN 'ticket_over'
        WHEN t.end_at <> was_until THEN 'ticket_changed'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::ticket;
        RETURN;
    END IF;
    SELECT * INTO c FROM charge
    WHERE charge.subject = 'ticket' AND subject_id = t.id AND status = 'paid' AND method = 'wallet'
        AND NOT EXISTS (SELECT FROM refund WHERE charge_id = charge.id)
    ORDER BY created_at
    LIMIT 1;
    back := CASE WHEN c.id IS NULL THEN 0 ELSE greatest(0, t.price - new_price) END;
    IF back > 0 AND (SELECT (rules #>> '{control,refund_early_end}')::boolean FROM zone WHERE id = t.zone_id) THEN
        INSERT INTO refund (charge_id, amount, due_at) VALUES (c.id, back, now());
    ELSE
        back := 0;
    END IF;
    UPDATE ticket SET end_at = greatest(ends, start_at), price = t.price - back, warned_at = coalesce(warned_at, now()), alerted_at = now()
    WHERE id = t.id
    RETURNING * INTO t;
    RETURN QUERY SELECT 'ended', t;
END
$$;

-- It decides nothing: functions that decide call it.
REVOKE EXECUTE ON FUNCTION open_charge FROM PUBLIC, wharf_fines;

-- What tickets and fines cost, what was charged for them and what goes back is decided by functions, under their locks. The
-- role says when a sweep comes again, that people were told, and that the buyer of a ticket was erased. The functions of this
-- and the earlier files act with the owner's rights, so that copies of an older release go on; such a copy cannot mark a
-- refund as paid or a charge as void, and the sweep of another copy does: the ledger pays a refund once and keeps a charge void.
REVOKE INSERT, UPDATE, DELETE ON ticket, fine, charge, refund FROM wharf_fines;
GRANT UPDATE (due_at) ON charge, refund TO wharf_fines;
GRANT UPDATE (warned_at, alerted_at, buyer) ON ticket TO wharf_fines;
GRANT UPDATE (warned_at) ON fine TO wharf_fines;
