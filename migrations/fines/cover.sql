-- Tickets by plate: one row for each plate that a ticket covers.
CREATE OR REPLACE VIEW ticket_car AS
SELECT ticket.plate, ticket.id AS ticket_id, 1 AS nth, zone_id, start_at, end_at, paid_at, removed_at
FROM ticket
UNION ALL
SELECT ticket_plate.plate, ticket.id, nth, zone_id, start_at, end_at, paid_at, removed_at
FROM ticket_plate
JOIN ticket ON ticket.id = ticket_id;

-- Whether one of a ticket's cars is this user's, and was before the ticket ended: anyone may register a car without an owner.
CREATE OR REPLACE FUNCTION owns_car_of(the_ticket bigint, the_user uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (
    SELECT FROM ticket_car JOIN car USING (plate)
    WHERE ticket_id = the_ticket AND owner = the_user AND end_at > owned_since
);

-- Whether all of a ticket's cars are this user's. The ticket's buyer counts as the owner of a car without one.
CREATE OR REPLACE FUNCTION owns_cars_of(it ticket, the_user uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN NOT EXISTS (
    SELECT FROM ticket_car JOIN car USING (plate)
    WHERE ticket_id = it.id AND coalesce(owner, it.buyer) IS DISTINCT FROM the_user
);
