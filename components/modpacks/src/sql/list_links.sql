-- $1 pack, $2 viewer, $3 roles
SELECT link.id, label, millis(link.created_at) AS created_at, millis(expires_at) AS expires_at,
    millis(revoked_at) AS revoked_at
FROM link
JOIN pack ON pack.id = pack_id
WHERE pack_id = $1 AND level(pack, $2, $3, NULL) >= 2
ORDER BY link.created_at DESC, link.id
LIMIT 500
