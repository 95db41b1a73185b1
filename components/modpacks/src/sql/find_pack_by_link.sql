-- $1 viewer, $2 roles, $3 link
SELECT shown.*
FROM link
JOIN pack ON pack.id = link.pack_id
CROSS JOIN LATERAL show_pack(pack) AS shown
WHERE link.secret = $3 AND level(pack, $1, $2, $3) > 0 AND link.revoked_at IS NULL
    AND (link.expires_at IS NULL OR link.expires_at > now())
