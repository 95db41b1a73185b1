-- Whether a message about a user is the echo of an event that is here already.
CREATE INDEX outbox_of_user ON outbox (aggregate) WHERE kind LIKE 'user:%';
