-- Closed days: what accounts had when they ended. The trial balance reads what came since.

CREATE TABLE closing (
    -- Transfers before it are closed.
    until     timestamptz PRIMARY KEY,
    -- How many this closing added.
    transfers bigint NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT now()
);

-- The sum of the closed transfers of an account that has any.
CREATE TABLE closed_balance (
    account uuid PRIMARY KEY REFERENCES account,
    balance bigint NOT NULL
);

REVOKE ALL ON closing, closed_balance FROM wharf_payments;
GRANT SELECT ON closing, closed_balance TO wharf_payments;
