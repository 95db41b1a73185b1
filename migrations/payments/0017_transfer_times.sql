-- Finds transfers of a span of time: the first `seq` of a statement by date, and what the provider should name in a file.
-- It grows at its end only, so it costs a movement next to nothing.
CREATE INDEX transfer_by_time ON transfer (created_at);
