-- $1 CurseForge's fingerprints, $2 viewer, $3 roles
SELECT known.murmur2::text AS hash, found.*
FROM (SELECT DISTINCT b.id, b.murmur2 FROM unnest($1::bigint[]) AS asked (hash) JOIN blob AS b ON b.murmur2 = asked.hash)
    AS known
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
