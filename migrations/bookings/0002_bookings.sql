-- Bookings of places, what the ledger was asked to move for them, and what is owed back.

-- Whole cents; what is less than one is dropped.
CREATE FUNCTION cost(rate bigint, starts timestamptz, ends timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN trunc(rate * extract(epoch FROM ends - starts) / 3600)::bigint;

CREATE TABLE booking (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The client's request: a copy of it finds the booking that the first one made. None once the
    -- payment was refused: a copy then tries anew.
    request uuid CONSTRAINT booking_once_per_request UNIQUE,
    place_id bigint NOT NULL REFERENCES place (id),
    driver uuid NOT NULL,
    date_from timestamptz NOT NULL,
    date_to timestamptz NOT NULL,
    -- Until when the place is kept: later than `date_to` while an extension is being paid.
    held_to timestamptz NOT NULL,
    -- Until when the ledger keeps the owner from spending the price: a good while after the end, so that
    -- what is owed back is there. Equal to the end once the ledger was told to let go.
    kept_to timestamptz NOT NULL,
    -- Agreed on when the booking was made: what the owner asks for later is for others.
    hourly_rate bigint NOT NULL,
    full_cost bigint NOT NULL CONSTRAINT booking_cost_in_bounds CHECK (full_cost BETWEEN 0 AND 1000000000000),
    status text NOT NULL DEFAULT 'Waiting'
        CONSTRAINT booking_status_known CHECK (status IN ('Waiting', 'Confirmed', 'Canceled')),
    created_at timestamptz NOT NULL DEFAULT now(),
    reminded_at timestamptz,
    deleted_at timestamptz,
    CONSTRAINT booking_ends_after_it_begins CHECK (date_from < date_to),
    CONSTRAINT booking_held_to_its_end CHECK (held_to >= date_to),
    CONSTRAINT booking_costs_its_time CHECK (full_cost = cost(hourly_rate, date_from, date_to))
);

-- Who stands where: the only rows that count against a place's capacity.
CREATE INDEX booking_live ON booking (place_id, held_to, date_from) WHERE status <> 'Canceled';
CREATE INDEX booking_by_driver ON booking (driver, id) WHERE deleted_at IS NULL;
CREATE INDEX booking_by_place ON booking (place_id, id) WHERE deleted_at IS NULL;
CREATE INDEX booking_to_remind ON booking (date_to) WHERE status = 'Confirmed' AND reminded_at IS NULL;
CREATE INDEX booking_kept_too_long ON booking (date_to) WHERE status = 'Confirmed' AND kept_to > date_to;

-- What the driver pays: once for the booking, once for each extension.
CREATE TABLE charge (
    -- The ledger knows the payment by this id.
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    booking_id bigint NOT NULL REFERENCES booking (id),
    amount bigint NOT NULL CONSTRAINT charge_is_positive CHECK (amount > 0),
    -- The end of the booking that this charge buys.
    date_to timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'opening'
        CONSTRAINT charge_status_known CHECK (status IN ('opening', 'paid', 'void')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- From when on it is the sweep's: whoever asked for it has given up by then. A sweep that
    -- takes it on moves this, so that others leave it alone meanwhile.
    due_at timestamptz NOT NULL DEFAULT now() + interval '10 seconds'
);

CREATE INDEX charge_by_booking ON charge (booking_id);
-- One thing at a time is decided about a booking.
CREATE UNIQUE INDEX charge_open_once ON charge (booking_id) WHERE status = 'opening';
CREATE INDEX charge_unsettled ON charge (due_at) WHERE status = 'opening';

-- What goes back to the driver, decided by the statement that made it owed.
CREATE TABLE refund (
    -- The ledger knows the refund by this id.
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    booking_id bigint NOT NULL REFERENCES booking (id),
    charge_id uuid NOT NULL REFERENCES charge (id),
    amount bigint NOT NULL CONSTRAINT refund_is_positive CHECK (amount > 0),
    status text NOT NULL DEFAULT 'owed'
        CONSTRAINT refund_status_known CHECK (status IN ('owed', 'done')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- As of a charge.
    due_at timestamptz NOT NULL DEFAULT now() + interval '10 seconds'
);

CREATE INDEX refund_by_booking ON refund (booking_id);
CREATE INDEX refund_by_charge ON refund (charge_id);
CREATE INDEX refund_owed ON refund (due_at) WHERE status = 'owed';

CREATE TABLE idempotency_key (
    caller uuid NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    status int,
    body text,
    claimed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);

-- They are forgotten after a day.
CREATE INDEX idempotency_key_age ON idempotency_key (claimed_at);
