-- Where people have their money sent, and cash-outs of wallets: payouts to such a destination.

CREATE TABLE destination (
    -- Chosen by the request that added it.
    id          uuid PRIMARY KEY,
    owner       uuid NOT NULL REFERENCES holder,
    kind        text NOT NULL CONSTRAINT destination_kind CHECK (kind IN ('pix', 'iban', 'us_bank')),
    currency    text NOT NULL,
    holder_name text NOT NULL,
    -- The Pix key, the IBAN, or routing and account number. Empty once its owner was erased.
    account     text NOT NULL,
    -- As its owner sees it.
    mask        text NOT NULL,
    -- A new destination waits, so that the owner of a wallet sees it before a thief with their session can send money there.
    usable_at   timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,
    CONSTRAINT destination_currency CHECK (
        (kind, currency) IN (('pix', 'BRL'), ('iban', 'EUR'), ('us_bank', 'USD')))
);

CREATE UNIQUE INDEX destination_known_once ON destination (owner, kind, account) WHERE removed_at IS NULL;

ALTER TABLE payout
    ADD owner uuid REFERENCES holder,
    ADD seq bigint,
    -- Absent of a withdrawal from an account that its user opened.
    ADD destination uuid REFERENCES destination,
    -- From then on the money may be on its way, so its owner cannot cancel.
    ADD approved_at timestamptz,
    ADD approved_by uuid,
    ADD CONSTRAINT payout_approved_by_an_admin CHECK ((approved_at IS NULL) = (approved_by IS NULL));

UPDATE payout SET owner = account.owner, seq = transfer.seq
FROM transfer JOIN account ON account.id = transfer.debit
WHERE transfer.id = payout.withdrawal;

ALTER TABLE payout ALTER owner SET NOT NULL, ALTER seq SET NOT NULL;

CREATE INDEX payout_of_owner ON payout (owner, seq);
CREATE INDEX payout_to_destination ON payout (destination) WHERE destination IS NOT NULL;
DROP INDEX payout_open;
CREATE INDEX payout_open ON payout (seq) WHERE paid_at IS NULL AND returned_at IS NULL;

REVOKE ALL ON destination FROM wharf_payments;
GRANT SELECT ON destination TO wharf_payments;
