-- How often a user or a network named a promo code that does not exist.

CREATE TABLE promocode_guess (
    -- `user:…` or `network:…`.
    guesser text PRIMARY KEY,
    since   timestamptz NOT NULL DEFAULT now(),
    misses  int NOT NULL DEFAULT 1
);

CREATE INDEX promocode_guess_by_age ON promocode_guess (since);
CREATE INDEX promocode_of_maker ON promocode (created_by, created_at);

REVOKE ALL ON promocode_guess FROM wharf_payments;
GRANT SELECT ON promocode_guess TO wharf_payments;
