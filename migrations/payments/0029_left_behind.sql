-- Which erased people may have left something, so that the sweep reads none of the others.

CREATE TABLE left_behind (
    owner uuid PRIMARY KEY REFERENCES holder
);

INSERT INTO left_behind (owner) SELECT id FROM holder WHERE erased_at IS NOT NULL;

-- The owner was erased.
ALTER TABLE account ADD is_left bool NOT NULL DEFAULT false;
UPDATE account SET is_left = true WHERE owner IN (SELECT owner FROM left_behind);

REVOKE ALL ON left_behind FROM wharf_payments;
GRANT SELECT ON left_behind TO wharf_payments;
