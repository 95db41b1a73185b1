-- What the sandbox's merchant asked for, and what people paid.

CREATE TABLE bill (
    -- A preference's or an order's id.
    id               text PRIMARY KEY,
    kind             text NOT NULL CONSTRAINT bill_kind CHECK (kind IN ('preference', 'order')),
    -- `X-Idempotency-Key`: asked for again, the same bill is given again.
    asked_as         text CONSTRAINT bill_asked_once UNIQUE,
    reference        text NOT NULL,
    title            text NOT NULL,
    amount           bigint NOT NULL CONSTRAINT bill_amount CHECK (amount > 0),
    currency         text NOT NULL,
    notification_url text NOT NULL,
    back_url         text,
    expires_at       timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX bill_by_reference ON bill (reference);

CREATE TABLE payment (
    id          bigint GENERATED ALWAYS AS IDENTITY (START WITH 1000001) PRIMARY KEY,
    bill        text NOT NULL REFERENCES bill,
    status      text NOT NULL CONSTRAINT payment_status CHECK (status IN ('approved', 'rejected', 'refunded')),
    approved_at timestamptz,
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX payment_of_bill ON payment (bill);
CREATE UNIQUE INDEX payment_approved_once ON payment (bill) WHERE status = 'approved';
