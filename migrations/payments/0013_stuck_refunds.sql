-- Refunds that were refused: the payee has spent the money, the payer's account is full, or the provider says no.

CREATE TABLE stuck_refund (
    -- The id of the refund. Of a payment that the provider has to send back: the id there.
    id          text PRIMARY KEY,
    kind        text NOT NULL CONSTRAINT stuck_refund_kind CHECK (kind IN ('wallet', 'attempt', 'part')),
    -- What is refunded: a transfer of the ledger, or a checkout.
    payment     uuid NOT NULL,
    amount      bigint NOT NULL,
    currency    text NOT NULL,
    description text,
    -- Why it was refused last.
    refusal     text NOT NULL,
    tries       int NOT NULL DEFAULT 1,
    first_at    timestamptz NOT NULL DEFAULT now(),
    last_at     timestamptz NOT NULL DEFAULT now(),
    alerted_at  timestamptz,
    resolved_at timestamptz,
    -- refunded: it succeeded in the end. house_funded: the house paid what its payee did not have. settled_outside: it
    -- was paid another way than through the provider.
    resolution  text CONSTRAINT stuck_refund_resolution CHECK (
                    resolution IN ('refunded', 'house_funded', 'settled_outside')),
    CONSTRAINT stuck_refund_resolved_somehow CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);

CREATE INDEX stuck_refund_open ON stuck_refund (first_at, id) WHERE resolved_at IS NULL;
CREATE INDEX stuck_refund_unheard ON stuck_refund (first_at) WHERE resolved_at IS NULL AND alerted_at IS NULL;

REVOKE ALL ON stuck_refund FROM wharf_payments;
GRANT SELECT ON stuck_refund TO wharf_payments;
