-- Requests by which items were given back.

CREATE TABLE given_back (
    -- Made of the request: a copy that comes after a crash finds what the first one did.
    request    uuid PRIMARY KEY,
    order_id   bigint NOT NULL REFERENCES customer_order (id),
    created_at timestamptz NOT NULL DEFAULT now()
);
