-- $1 pack, $2 from, $3 to, $4 viewer, $5 roles, $6 link
-- Restricted files that the viewer does not see are in neither version.
WITH asked AS (
    SELECT coalesce(max(level(pack, $4, $5, $6)), 0) AS allowed FROM pack WHERE id = $1
), known AS (
    SELECT v.id AS version_id, f.id, f.path, f.size, f.side, f.is_kept, coalesce(b.sha256, f.source_sha256) AS sha256,
        coalesce(b.sha512, f.source_sha512) AS sha512, f.blob_id, f.source
    FROM asked
    JOIN version AS v ON v.pack_id = $1 AND v.id IN ($2, $3) AND sees_version(v, asked.allowed)
    LEFT JOIN file AS f ON f.version_id = v.id AND f.status = 'ready' AND sees_file(f, v, asked.allowed, $4, $5)
    LEFT JOIN blob AS b ON b.id = f.blob_id
), changed AS (
    SELECT
        CASE WHEN came.id IS NULL THEN 'remove' WHEN gone.id IS NULL THEN 'add' ELSE 'replace' END AS step,
        coalesce(came.path, gone.path) AS path, came.id AS file_id, came.size, came.sha256, came.sha512,
        gone.sha256 AS old_sha256, coalesce(came.side, gone.side) AS side,
        coalesce(came.is_kept, gone.is_kept) AS is_kept
    FROM (SELECT * FROM known WHERE version_id = $2 AND id IS NOT NULL) AS gone
    FULL JOIN (SELECT * FROM known WHERE version_id = $3 AND id IS NOT NULL) AS came
        ON folded(gone.path) = folded(came.path)
    WHERE gone.blob_id IS DISTINCT FROM came.blob_id OR gone.path <> came.path
        OR (gone.source, gone.sha256, gone.sha512) IS DISTINCT FROM (came.source, came.sha256, came.sha512)
)
SELECT CASE
    WHEN asked.allowed = 0 THEN 'unknown_pack'
    WHEN (SELECT count(DISTINCT version_id) FROM known) < CASE WHEN $2 = $3 THEN 1 ELSE 2 END THEN 'unknown_version'
    ELSE 'done'
END AS outcome, changed.path AS id, changed.*
FROM asked
LEFT JOIN changed ON true
ORDER BY changed.path
