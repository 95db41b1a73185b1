-- notify forgets people too, so it is told of them: whatever is for it begins with one of three words.
CREATE OR REPLACE FUNCTION consumer_of(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN split_part(kind, ':', 1) IN ('notify', 'deliver', 'telegram') THEN 'notify' ELSE 'jobs' END;
