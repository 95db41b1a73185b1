-- Lists of tickets by time read the tickets of that time, and lists of parked cars those that are valid.
CREATE INDEX ticket_by_age ON ticket (created_at);
CREATE INDEX ticket_valid ON ticket (end_at) WHERE paid_at IS NOT NULL AND removed_at IS NULL;
