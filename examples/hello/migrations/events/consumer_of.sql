-- The one function here hears its own events.
CREATE OR REPLACE FUNCTION consumer_of(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN split_part(kind, ':', 1);
