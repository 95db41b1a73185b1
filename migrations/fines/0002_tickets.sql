-- Tickets, what the ledger and the provider are asked to move for tickets and fines, and what is owed back.

CREATE TABLE ticket (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The client's request: a copy of it finds the ticket that the first one made.
    request uuid NOT NULL CONSTRAINT ticket_once_per_request UNIQUE,
    zone_id bigint NOT NULL REFERENCES zone (id),
    plate text NOT NULL REFERENCES car (plate),
    -- Who bought it, on its car's owner's behalf or not.
    buyer uuid,
    start_at timestamptz NOT NULL,
    end_at timestamptz NOT NULL,
    price bigint NOT NULL CONSTRAINT ticket_price_in_bounds CHECK (price BETWEEN 0 AND 1000000000000),
    currency text NOT NULL,
    paid_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- The ticket that it goes on from, and when the first of them began: the price is of the whole stay.
    extends bigint REFERENCES ticket (id),
    stay_from timestamptz NOT NULL,
    warned_at timestamptz,
    alerted_at timestamptz,
    removed_at timestamptz,
    CONSTRAINT ticket_ends_after_it_begins CHECK (start_at <= end_at)
);

CREATE UNIQUE INDEX ticket_extended_once ON ticket (extends) WHERE paid_at IS NOT NULL AND removed_at IS NULL;
-- What is valid at a moment: the plate check, occupancy, the sweep.
CREATE INDEX ticket_by_plate ON ticket (plate, end_at) WHERE removed_at IS NULL;
CREATE INDEX ticket_by_zone ON ticket (zone_id, id) WHERE removed_at IS NULL;
CREATE INDEX ticket_valid_in_zone ON ticket (zone_id, end_at) WHERE paid_at IS NOT NULL AND removed_at IS NULL;
CREATE INDEX ticket_by_buyer ON ticket (buyer, id) WHERE removed_at IS NULL;
CREATE INDEX ticket_to_warn ON ticket (end_at)
    WHERE paid_at IS NOT NULL AND removed_at IS NULL AND warned_at IS NULL;
CREATE INDEX ticket_to_alert ON ticket (end_at)
    WHERE paid_at IS NOT NULL AND removed_at IS NULL AND alerted_at IS NULL;

-- One attempt to pay a ticket or a fine. Several may be open; the first one that is paid counts, and what is paid
-- after it goes back.
CREATE TABLE charge (
    -- The ledger knows the payment, and the provider's side the checkout, by this id.
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    subject text NOT NULL CONSTRAINT charge_subject_known CHECK (subject IN ('ticket', 'fine')),
    subject_id bigint NOT NULL,
    method text NOT NULL CONSTRAINT charge_method_known CHECK (method IN ('wallet', 'checkout')),
    payer uuid NOT NULL,
    payee uuid NOT NULL,
    amount bigint NOT NULL CONSTRAINT charge_in_bounds CHECK (amount BETWEEN 1 AND 1000000000000),
    currency text NOT NULL,
    -- The payer gives up the appeal for a discount.
    waives boolean NOT NULL DEFAULT false,
    status text NOT NULL DEFAULT 'opening'
        CONSTRAINT charge_status_known CHECK (status IN ('opening', 'paid', 'void')),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Until when it can be paid, of a checkout; until when the payee cannot spend it, of a wallet.
    expires_at timestamptz,
    held_until timestamptz,
    -- From when on it is the sweep's. A sweep that takes it on moves this.
    due_at timestamptz NOT NULL DEFAULT now() + interval '10 seconds'
);

CREATE INDEX charge_by_subject ON charge (subject, subject_id);
-- One wallet at a time is asked for a ticket or a fine.
CREATE UNIQUE INDEX charge_open_once ON charge (subject, subject_id) WHERE status = 'opening' AND method = 'wallet';
CREATE INDEX charge_unsettled ON charge (due_at) WHERE status = 'opening';

-- What goes back to a payer, decided by the statement that made it owed.
CREATE TABLE refund (
    -- The ledger knows the refund by this id.
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    charge_id uuid NOT NULL REFERENCES charge (id),
    amount bigint NOT NULL CONSTRAINT refund_is_positive CHECK (amount > 0),
    status text NOT NULL DEFAULT 'owed'
        CONSTRAINT refund_status_known CHECK (status IN ('owed', 'done')),
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now() + interval '10 seconds'
);

CREATE INDEX refund_by_charge ON refund (charge_id);
CREATE INDEX refund_owed ON refund (due_at) WHERE status = 'owed';
