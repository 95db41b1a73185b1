-- The function that an event is for, by the first word of its kind: a function that drains events of its own is
-- named here, and jobs carries out all others. Events that are written from now on go by the new rule.
CREATE OR REPLACE FUNCTION consumer_of(kind text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE split_part(kind, ':', 1)
    WHEN 'notify' THEN 'notify'
    WHEN 'deliver' THEN 'notify'
    WHEN 'telegram' THEN 'notify'
    WHEN 'bookings' THEN 'bookings'
    WHEN 'modpacks' THEN 'modpacks'
    ELSE 'jobs'
END;
