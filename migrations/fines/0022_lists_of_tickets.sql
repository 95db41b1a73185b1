-- Lists of tickets by time read the tickets of that time, and lists of parked cars those that are valid.
CREATE INDEX ticket_by_age ON ticket (created_at);
CREATE INDEX ticket_valid ON ticket (end_at) WHERE paid_at IS NOT NULL AND removed_at IS NULL;

-- Since when a car is its owner's. Tickets that were over by then are no business of theirs.
ALTER TABLE car ADD COLUMN owned_since timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE car ALTER COLUMN owned_since SET DEFAULT now();
