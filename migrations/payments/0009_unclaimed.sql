-- Money of people who were erased. It waits on the house account `unclaimed` until they, or their heirs, claim it.

ALTER TABLE holder ADD erased_at timestamptz;

CREATE INDEX holder_erased ON holder (id) WHERE erased_at IS NOT NULL;

CREATE TABLE unclaimed (
    owner      uuid NOT NULL REFERENCES holder,
    currency   text NOT NULL,
    amount     bigint NOT NULL CONSTRAINT unclaimed_amount CHECK (amount >= 0),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, currency)
);

REVOKE ALL ON unclaimed FROM wharf_payments;
GRANT SELECT ON unclaimed TO wharf_payments;
