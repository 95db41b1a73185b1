-- Parts of approved payments that their openers send back.

CREATE TABLE part_refund (
    -- Chosen by the opener: the idempotency key, at the provider too.
    id         uuid PRIMARY KEY,
    checkout   uuid NOT NULL REFERENCES checkout,
    -- The payment at the provider. None when the money came another way.
    payment    text REFERENCES psp_payment,
    amount     bigint NOT NULL CONSTRAINT part_refund_of_something CHECK (amount > 0),
    -- How much of the payment has gone back once this part has. The provider has carried the part out when it says
    -- that as much has gone back; parts of a payment are sent in this order.
    gone       bigint NOT NULL,
    status     text NOT NULL CONSTRAINT part_refund_status CHECK (status IN ('owed', 'done')),
    -- Why the provider refused it last.
    refusal    text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX part_refund_of_checkout ON part_refund (checkout, gone);
CREATE INDEX part_refund_owed ON part_refund (created_at) WHERE status = 'owed';
CREATE INDEX psp_payment_returning ON psp_payment (seen_at) WHERE verdict = 'returning';

REVOKE ALL ON part_refund FROM wharf_payments;
GRANT SELECT ON part_refund TO wharf_payments;
