-- $1 user, $2 default quota
SELECT coalesce(u.stored, 0) AS stored, coalesce(u.reserved, 0) AS reserved,
    CASE WHEN u.is_own_quota THEN u.quota ELSE $2 END AS quota
FROM (VALUES (1)) AS once
LEFT JOIN usage AS u ON u.user_id = $1
