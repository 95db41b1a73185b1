-- $1 CurseForge's fingerprints, $2 viewer, $3 roles
-- Packs are decided on once each, as in the look-up by other hashes.
WITH candidate AS MATERIALIZED (
    SELECT b.murmur2::text AS hash, f, v
    FROM unnest($1::bigint[]) AS asked (hash)
    JOIN blob AS b ON b.murmur2 = asked.hash
    JOIN file AS f ON f.blob_id = b.id
    JOIN version AS v ON v.id = f.version_id AND v.status = 'published' AND v.deleted_at IS NULL
), listed AS MATERIALIZED (
    SELECT pack.id, pack.name, level(pack, $2, $3, NULL) AS allowed
    FROM pack
    WHERE pack.id IN (SELECT (f).pack_id FROM candidate) AND is_listed(pack, $2, $3)
)
SELECT DISTINCT ON (c.hash, (c.f).blob_id) c.hash, (c.f).id AS file_id, listed.id AS pack_id,
    (c.v).id AS version_id, (c.f).path, (c.f).size, listed.name AS pack_name, (c.v).name AS version_name
FROM candidate AS c
JOIN listed ON listed.id = (c.f).pack_id
WHERE NOT (c.f).is_restricted OR sees_file(c.f, c.v, listed.allowed, $2, $3)
ORDER BY c.hash, (c.f).blob_id, (c.v).seq DESC
