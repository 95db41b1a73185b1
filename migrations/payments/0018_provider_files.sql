-- Files in which the provider says what it settled: what it paid us, sent back and kept for itself.

CREATE TABLE provider_file (
    -- Chosen by the request that imported it.
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    -- Lines that were in no file before, those that were, and those of other things than payments.
    lines       int NOT NULL,
    repeated    int NOT NULL,
    skipped     int NOT NULL,
    -- The span of the lines.
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    imported_by uuid NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX provider_file_by_age ON provider_file (imported_at);

CREATE TABLE provider_line (
    file        uuid NOT NULL REFERENCES provider_file,
    -- The id at the provider of what was paid.
    payment     text NOT NULL,
    kind        text NOT NULL CONSTRAINT provider_line_kind CHECK (kind IN ('payment', 'refund', 'chargeback')),
    amount      bigint NOT NULL CONSTRAINT provider_line_amount CHECK (amount >= 0),
    -- What the provider keeps; below 0 when it gives that back.
    fee         bigint NOT NULL,
    currency    text NOT NULL,
    happened_at timestamptz NOT NULL,
    -- Files overlap: a line counts once.
    CONSTRAINT provider_line_counts_once UNIQUE (payment, kind, happened_at, amount)
);

CREATE INDEX provider_line_of_file ON provider_line (file);

-- provider_fee: what the provider keeps of payments, and gives back with refunds.
ALTER TABLE transfer DROP CONSTRAINT transfer_kind;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind CHECK (kind IN (
    'payment', 'refund', 'promo_activation', 'promo_generation', 'opening', 'deposit', 'withdrawal', 'payout', 'send',
    'sale', 'loss', 'receivable', 'settlement', 'unclaimed', 'claim', 'fee', 'fee_return', 'provider_fee')) NOT VALID;

CREATE TRIGGER provider_line_is_final BEFORE UPDATE OR DELETE ON provider_line
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

REVOKE ALL ON provider_file, provider_line FROM wharf_payments;
GRANT SELECT ON provider_file, provider_line TO wharf_payments;
