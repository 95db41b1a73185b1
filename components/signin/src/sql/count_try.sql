-- $1 gates, $2 their windows in seconds
INSERT INTO try (gate, count, until)
SELECT name, 1, now() + seconds * interval '1 second'
FROM unnest($1::text[], $2::bigint[]) AS asked (name, seconds)
ORDER BY name
ON CONFLICT (gate) DO UPDATE SET
    count = CASE WHEN try.until > now() THEN try.count + 1 ELSE 1 END,
    until = CASE WHEN try.until > now() THEN try.until ELSE excluded.until END
