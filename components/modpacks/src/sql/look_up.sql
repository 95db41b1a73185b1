-- $1 hashes: sha1, sha256 or sha512, $2 viewer, $3 roles
-- Packs are decided on once each, however many files of theirs are asked for. A published version of a listed pack is seen,
-- and so are its files, unless they are restricted.
WITH asked AS (
    SELECT hash, length(hash) AS digits FROM unnest($1::text[]) AS named (hash)
), known AS (
    SELECT asked.hash, b.id FROM asked JOIN blob AS b ON b.sha1 = asked.hash WHERE asked.digits = 40
    UNION ALL
    SELECT asked.hash, b.id FROM asked JOIN blob AS b ON b.sha256 = asked.hash AND b.status = 'live'
    WHERE asked.digits = 64
    UNION ALL
    SELECT asked.hash, b.id FROM asked JOIN blob AS b ON b.sha512 = asked.hash WHERE asked.digits = 128
), candidate AS MATERIALIZED (
    SELECT known.hash, f, v
    FROM known
    JOIN file AS f ON f.blob_id = known.id
    JOIN version AS v ON v.id = f.version_id AND v.status = 'published' AND v.deleted_at IS NULL
), listed AS MATERIALIZED (
    SELECT pack.id, pack.name, level(pack, $2, $3, NULL) AS allowed
    FROM pack
    WHERE pack.id IN (SELECT (f).pack_id FROM candidate) AND is_listed(pack, $2, $3)
)
SELECT DISTINCT ON (c.hash) c.hash, (c.f).id AS file_id, listed.id AS pack_id, (c.v).id AS version_id, (c.f).path,
    (c.f).size, listed.name AS pack_name, (c.v).name AS version_name
FROM candidate AS c
JOIN listed ON listed.id = (c.f).pack_id
WHERE NOT (c.f).is_restricted OR sees_file(c.f, c.v, listed.allowed, $2, $3)
ORDER BY c.hash, (c.v).seq DESC
