-- $1 hashes: sha1, sha256 or sha512, $2 viewer, $3 roles
WITH known AS (
    SELECT asked.hash, b.id FROM unnest($1::text[]) AS asked (hash) JOIN blob AS b ON b.sha1 = asked.hash
    UNION ALL
    SELECT asked.hash, b.id FROM unnest($1::text[]) AS asked (hash)
        JOIN blob AS b ON b.sha256 = asked.hash AND b.status = 'live'
    UNION ALL
    SELECT asked.hash, b.id FROM unnest($1::text[]) AS asked (hash) JOIN blob AS b ON b.sha512 = asked.hash
)
SELECT known.hash, found.*
FROM known
CROSS JOIN LATERAL (
    SELECT f.id AS file_id, f.pack_id, v.id AS version_id, f.path, f.size, pack.name AS pack_name,
        v.name AS version_name
    FROM file AS f
    JOIN version AS v ON v.id = f.version_id AND v.status = 'published' AND v.deleted_at IS NULL
    JOIN pack ON pack.id = f.pack_id
    WHERE f.blob_id = known.id AND is_listed(pack, $2, $3)
        AND sees_file(f, v, level(pack, $2, $3, NULL), $2, $3)
    ORDER BY v.seq DESC
    LIMIT 1
) AS found
