-- What the house had of payments when the last closed day ended, by currency: proving the fees reads what came since.
CREATE TABLE closed_fee (
    currency text PRIMARY KEY,
    kept     bigint NOT NULL
);

REVOKE ALL ON closed_fee FROM wharf_payments;
GRANT SELECT ON closed_fee TO wharf_payments;
