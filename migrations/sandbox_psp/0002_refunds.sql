-- Refunds of payments, whole and in parts.

CREATE TABLE refund (
    id         bigint GENERATED ALWAYS AS IDENTITY (START WITH 5000001) PRIMARY KEY,
    payment    bigint NOT NULL REFERENCES payment,
    amount     bigint NOT NULL CONSTRAINT refund_amount CHECK (amount > 0),
    -- `X-Idempotency-Key`: asked for again, the same refund is answered again.
    asked_as   text CONSTRAINT refund_asked_once UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX refund_of_payment ON refund (payment);

INSERT INTO refund (payment, amount)
SELECT payment.id, bill.amount FROM payment JOIN bill ON bill.id = payment.bill WHERE payment.status = 'refunded';
