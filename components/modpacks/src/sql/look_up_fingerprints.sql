-- $1 CurseForge's fingerprints, $2 viewer, $3 roles
-- Versions and packs are decided on once each, as in the look-up by other hashes.
WITH candidate AS MATERIALIZED (
    SELECT b.murmur2 AS hash, f.id, f.blob_id, f.pack_id, f.version_id, f.path, f.size, f.is_restricted
    FROM blob AS b
    JOIN file AS f ON f.blob_id = b.id
    WHERE b.murmur2 = ANY ($1::bigint[])
), published AS MATERIALIZED (
    SELECT id, seq, name FROM version
    WHERE id = ANY (ARRAY(SELECT DISTINCT version_id FROM candidate)) AND status = 'published' AND deleted_at IS NULL
), listed AS MATERIALIZED (
    SELECT pack.id, pack.name, level(pack, $2, $3, NULL) AS allowed
    FROM pack
    WHERE pack.id = ANY (ARRAY(SELECT DISTINCT pack_id FROM candidate)) AND is_listed(pack, $2, $3)
)
SELECT DISTINCT ON (c.hash, c.blob_id) c.hash::text AS hash, c.id AS file_id, c.pack_id, c.version_id, c.path, c.size,
    listed.name AS pack_name, v.name AS version_name
FROM candidate AS c
JOIN published AS v ON v.id = c.version_id
JOIN listed ON listed.id = c.pack_id
WHERE NOT c.is_restricted OR EXISTS (
    SELECT FROM file AS f JOIN version AS of_f ON of_f.id = f.version_id
    WHERE f.id = c.id AND sees_file(f, of_f, listed.allowed, $2, $3)
)
ORDER BY c.hash, c.blob_id, v.seq DESC
