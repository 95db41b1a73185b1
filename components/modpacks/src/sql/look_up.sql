-- $1 hashes: sha1, sha256 or sha512, $2 viewer, $3 roles
-- Versions and packs are decided on once each, however many files of theirs are asked for. A published version of a listed
-- pack is seen, and so are its files, unless they are restricted. Arrays make each look-up one walk of an index.
WITH asked AS (
    SELECT hash, length(hash) AS digits FROM unnest($1::text[]) AS named (hash)
), known AS (
    SELECT sha1 AS hash, id FROM blob WHERE sha1 = ANY (ARRAY(SELECT hash FROM asked WHERE digits = 40))
    UNION ALL
    SELECT sha256, id FROM blob
    WHERE sha256 = ANY (ARRAY(SELECT hash FROM asked WHERE digits = 64)) AND status = 'live'
    UNION ALL
    SELECT sha512, id FROM blob WHERE sha512 = ANY (ARRAY(SELECT hash FROM asked WHERE digits = 128))
), candidate AS MATERIALIZED (
    SELECT known.hash, f.id, f.pack_id, f.version_id, f.path, f.size, f.is_restricted
    FROM known
    JOIN file AS f ON f.blob_id = known.id
), published AS MATERIALIZED (
    SELECT id, seq, name FROM version
    WHERE id = ANY (ARRAY(SELECT DISTINCT version_id FROM candidate)) AND status = 'published' AND deleted_at IS NULL
), listed AS MATERIALIZED (
    SELECT pack.id, pack.name, level(pack, $2, $3, NULL) AS allowed
    FROM pack
    WHERE pack.id = ANY (ARRAY(SELECT DISTINCT pack_id FROM candidate)) AND is_listed(pack, $2, $3)
)
SELECT DISTINCT ON (c.hash) c.hash, c.id AS file_id, c.pack_id, c.version_id, c.path, c.size,
    listed.name AS pack_name, v.name AS version_name
FROM candidate AS c
JOIN published AS v ON v.id = c.version_id
JOIN listed ON listed.id = c.pack_id
WHERE NOT c.is_restricted OR EXISTS (
    SELECT FROM file AS f JOIN version AS of_f ON of_f.id = f.version_id
    WHERE f.id = c.id AND sees_file(f, of_f, listed.allowed, $2, $3)
)
ORDER BY c.hash, v.seq DESC
