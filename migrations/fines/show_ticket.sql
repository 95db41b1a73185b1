-- The plates of a ticket beside its first. VOLATILE: the statement that sells the ticket sees them, too.
CREATE OR REPLACE FUNCTION other_plates_of(the_ticket bigint) RETURNS text[]
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN ARRAY(SELECT shown FROM ticket_plate JOIN car USING (plate) WHERE ticket_id = the_ticket ORDER BY nth);
END
$$;

-- All tickets that start at that moment or later have a greater id: they were sold thirty days before their start at most.
-- Without a moment all have.
CREATE OR REPLACE FUNCTION ticket_before(starts timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT id FROM ticket WHERE created_at < starts - interval '31 days' ORDER BY created_at DESC LIMIT 1
    ), 0);
END
$$;

-- All tickets that end before that moment have a smaller id: they were sold minutes after their start at most.
CREATE OR REPLACE FUNCTION ticket_after(ends timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT id FROM ticket WHERE created_at > ends + interval '1 day' ORDER BY created_at LIMIT 1
    ), 9223372036854775807);
END
$$;

-- A ticket that is valid now started then at the earliest: it is for thirty days at most.
CREATE OR REPLACE FUNCTION earliest_valid() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN now() - interval '30 days';

-- A ticket as statements read it, moments in milliseconds, plates as the owners of the cars wrote them.
DROP FUNCTION IF EXISTS show_ticket(ticket);
CREATE FUNCTION show_ticket(it ticket)
RETURNS TABLE (
    id bigint, zone_id bigint, plate text, start_date bigint, end_date bigint, price bigint, currency text, paid boolean,
    creation_time bigint, extends bigint, other_plates text[]
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.zone_id, (SELECT shown FROM car WHERE car.plate = it.plate), millis(it.start_at),
        millis(it.end_at), it.price, it.currency, it.paid_at IS NOT NULL, millis(it.created_at), it.extends,
        CASE WHEN it.plate_count = 1 THEN '{}' ELSE other_plates_of(it.id) END
$$;

-- A charge as the saga reads it.
DROP FUNCTION IF EXISTS show_charge(charge);
CREATE FUNCTION show_charge(it charge)
RETURNS TABLE (
    charge_id uuid, subject text, subject_id bigint, method text, payer uuid, payee uuid, charge_amount bigint,
    charge_currency text, held_until bigint, expires_at bigint, charge_created_at bigint, nth int,
    parts int
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.subject, it.subject_id, it.method, it.payer, it.payee, it.amount, it.currency,
        millis(it.held_until), millis(it.expires_at), millis(it.created_at), it.nth, it.parts
$$;
