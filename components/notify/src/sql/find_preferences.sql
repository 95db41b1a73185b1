-- $1 user
SELECT language, telegram, email, webhook, time_zone,
    CASE
        WHEN quiet_from IS NULL THEN 'null'
        ELSE jsonb_build_object('from', to_char(quiet_from, 'HH24:MI'), 'until', to_char(quiet_until, 'HH24:MI'))
    END AS quiet_hours,
    to_char(digest_at, 'HH24:MI') AS digest_at
FROM preference
WHERE user_id = $1
