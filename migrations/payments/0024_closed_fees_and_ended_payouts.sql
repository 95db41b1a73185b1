-- What the house had of payments when the last closed day ended, by currency: proving the fees reads what came since.
CREATE TABLE closed_fee (
    currency text PRIMARY KEY,
    kept     bigint NOT NULL
);

REVOKE ALL ON closed_fee FROM wharf_payments;
GRANT SELECT ON closed_fee TO wharf_payments;

-- Lists payouts that ended, the newest first.
CREATE INDEX payout_ended ON payout (seq) WHERE paid_at IS NOT NULL OR returned_at IS NOT NULL;
