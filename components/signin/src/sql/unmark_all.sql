-- $1 seconds for which an access token may live
UPDATE session SET told_at = NULL
WHERE told_at > now() - $1::bigint * interval '1 second' AND expires_at > now()
