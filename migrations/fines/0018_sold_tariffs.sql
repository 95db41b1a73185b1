-- A ticket that ends early costs by the tariff at which it was sold, also when its zone has another one by then.

-- The revision of the zone; none for tickets that were sold before it was kept.
ALTER TABLE ticket ADD COLUMN revision bigint;

-- What a zone cost until a change: its prices and rules, named like the columns of `zone`.
CREATE TABLE past_tariff (
    zone_id bigint NOT NULL REFERENCES zone (id),
    revision bigint NOT NULL,
    tariff jsonb NOT NULL,
    PRIMARY KEY (zone_id, revision)
);

REVOKE INSERT, UPDATE, DELETE ON past_tariff FROM wharf_fines;
