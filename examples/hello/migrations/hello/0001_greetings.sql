-- Everyone who was greeted.
CREATE TABLE greeting (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CONSTRAINT greeting_name_in_bounds CHECK (length(name) BETWEEN 1 AND 100),
    greeted_at timestamptz NOT NULL DEFAULT now(),
    -- When the event about it was carried out.
    heard_at timestamptz
);
