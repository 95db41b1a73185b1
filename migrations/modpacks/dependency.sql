-- Dependencies of versions. Wherever a version is shown, packs that the viewer may not see are left out, so that a
-- dependency does not reveal a private pack.

-- Volatile, so that a statement that changes a version shows it as it is then; PL/pgSQL, whose plan a connection keeps.
CREATE OR REPLACE FUNCTION show_dependencies(of_version bigint, viewer uuid, roles text[], link text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'kind', d.kind,
            'pack_id', d.pack_id,
            'pack_name', p.name,
            'version_id', CASE WHEN low.id = high.id THEN low.id END,
            'min_version_id', CASE WHEN low.id IS DISTINCT FROM high.id THEN low.id END,
            'max_version_id', CASE WHEN low.id IS DISTINCT FROM high.id THEN high.id END,
            'resolved_id', CASE WHEN d.kind <> 'incompatible' THEN (
                SELECT v.id
                FROM version AS v
                WHERE v.pack_id = d.pack_id AND v.deleted_at IS NULL
                    -- A dependency on exactly one version still finds it after it was yanked.
                    AND (v.status = 'published' OR (v.status = 'yanked' AND low.id = high.id))
                    AND (low.id IS NULL OR v.seq >= low.seq) AND (high.id IS NULL OR v.seq <= high.seq)
                ORDER BY v.seq DESC
                LIMIT 1
            ) END,
            'platform', d.platform,
            'project', d.project,
            'version_range', d.version_range
        )) ORDER BY d.ordinal), '[]')
        FROM dependency AS d
        LEFT JOIN pack AS p ON p.id = d.pack_id
        LEFT JOIN version AS low ON low.id = d.min_version_id
        LEFT JOIN version AS high ON high.id = d.max_version_id
        WHERE d.version_id = of_version AND (d.pack_id IS NULL OR level(p, viewer, roles, link) > 0)
    );
END
$$;

-- The dependencies that a client names, in their order.
CREATE OR REPLACE FUNCTION read_dependencies(wanted jsonb)
RETURNS TABLE (
    ordinal bigint, kind text, pack_id bigint, min_version_id bigint, max_version_id bigint, platform text,
    project text, version_range text
)
LANGUAGE sql IMMUTABLE AS $$
    SELECT named.ordinality, named.kind, named.pack_id, coalesce(named.version_id, named.min_version_id),
        coalesce(named.version_id, named.max_version_id), named.platform, named.project, named.version_range
    FROM ROWS FROM (jsonb_to_recordset(wanted) AS (
        kind text, pack_id bigint, version_id bigint, min_version_id bigint, max_version_id bigint, platform text,
        project text, version_range text
    )) WITH ORDINALITY AS named (
        kind, pack_id, version_id, min_version_id, max_version_id, platform, project, version_range, ordinality
    )
$$;

-- Whether a version of the pack may depend on these. A pack or a version that the viewer does not see is refused as one
-- that does not exist.
CREATE OR REPLACE FUNCTION check_dependencies(the_pack bigint, viewer uuid, roles text[], wanted jsonb) RETURNS text
LANGUAGE sql STABLE
RETURN (
    SELECT CASE
        WHEN bool_or(
            p.id IS NULL OR level(p, viewer, roles, NULL) = 0
            OR (d.min_version_id IS NOT NULL AND (low.id IS NULL OR NOT sees_version(low, level(p, viewer, roles, NULL))))
            OR (d.max_version_id IS NOT NULL AND (high.id IS NULL OR NOT sees_version(high, level(p, viewer, roles, NULL))))
        ) THEN 'unknown_dependency'
        WHEN bool_or(d.pack_id = the_pack OR low.seq > high.seq) THEN 'invalid_dependency'
        ELSE 'done'
    END
    FROM read_dependencies(wanted) AS d
    LEFT JOIN pack AS p ON p.id = d.pack_id
    LEFT JOIN version AS low ON low.id = d.min_version_id AND low.pack_id = d.pack_id
    LEFT JOIN version AS high ON high.id = d.max_version_id AND high.pack_id = d.pack_id
    WHERE d.pack_id IS NOT NULL
);

-- Replaces the dependencies of a draft.
CREATE OR REPLACE FUNCTION put_dependencies(the_version bigint, wanted jsonb) RETURNS void
LANGUAGE sql AS $$
    DELETE FROM dependency WHERE version_id = the_version;
    INSERT INTO dependency (
        version_id, ordinal, kind, pack_id, min_version_id, max_version_id, platform, project, version_range
    )
    SELECT the_version, ordinal, kind, pack_id, min_version_id, max_version_id, platform, project, version_range
    FROM read_dependencies(wanted);
$$;

DROP FUNCTION IF EXISTS show_version(version);
DROP FUNCTION IF EXISTS show_version(version, uuid, text[], text);
CREATE FUNCTION show_version(it version, viewer uuid, roles text[], link text)
RETURNS TABLE (
    id bigint, pack_id bigint, name text, channel text, mc_version text, loader text, loader_version text,
    changelog text, dependencies jsonb, status text, file_count int, total_size bigint, created_at bigint,
    updated_at bigint, published_at bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.pack_id, it.name, it.channel, it.mc_version, it.loader, it.loader_version, it.changelog,
        show_dependencies(it.id, viewer, roles, link), it.status, it.file_count, it.total_size,
        millis(it.created_at), millis(it.updated_at), millis(it.published_at)
$$;
