-- Who sees what. Every statement uses these functions, and treats hidden rows like absent ones.

-- What a viewer may do with a pack: 0 nothing, 1 see it, 2 change it, 3 do everything its owner may. `roles` are the
-- viewer's, with 'user' for everyone who is signed in. `link` is the digest of a friend's link.
CREATE OR REPLACE FUNCTION level(p pack, viewer uuid, roles text[], link text) RETURNS int
LANGUAGE sql STABLE
RETURN CASE
    WHEN p.id IS NULL OR p.deleted_at IS NOT NULL THEN 0
    WHEN p.owner = viewer OR roles && '{admin,moderator}' THEN 3
    WHEN EXISTS (SELECT FROM maintainer AS m WHERE m.pack_id = p.id AND m.user_id = viewer) THEN 2
    WHEN p.visibility <> 'private' THEN 1
    WHEN EXISTS (
        SELECT FROM pack_share AS s WHERE s.pack_id = p.id AND (s.user_id = viewer OR s.role = ANY (roles))
    ) THEN 1
    WHEN EXISTS (
        SELECT FROM link AS l
        WHERE l.secret = link AND l.pack_id = p.id AND l.revoked_at IS NULL
            AND (l.expires_at IS NULL OR l.expires_at > now())
    ) THEN 1
    ELSE 0
END;

-- Whether lists, searches and look-ups by hash show a pack to a viewer. A pack that is not public is shown to its team, and
-- to users and roles that it is shared with.
CREATE OR REPLACE FUNCTION is_listed(p pack, viewer uuid, roles text[]) RETURNS boolean
LANGUAGE sql STABLE
RETURN p.deleted_at IS NULL AND (
    p.visibility = 'public'
    OR p.owner = viewer
    OR roles && '{admin,moderator}'
    OR EXISTS (SELECT FROM maintainer AS m WHERE m.pack_id = p.id AND m.user_id = viewer)
    OR EXISTS (SELECT FROM pack_share AS s WHERE s.pack_id = p.id AND (s.user_id = viewer OR s.role = ANY (roles)))
);

-- Viewers see a version once it is published. Only its team sees a draft.
CREATE OR REPLACE FUNCTION sees_version(v version, pack_level int) RETURNS boolean
LANGUAGE sql STABLE
RETURN v.deleted_at IS NULL AND (pack_level >= 2 OR (pack_level = 1 AND v.status <> 'draft'));

-- Viewers of a version see its files, except restricted ones. Users and roles that a file is shared with see it even if they
-- do not see its pack, but not in a draft.
CREATE OR REPLACE FUNCTION sees_file(f file, v version, pack_level int, viewer uuid, roles text[]) RETURNS boolean
LANGUAGE sql STABLE
RETURN (f.version_id IS NULL OR v.deleted_at IS NULL) AND (
    pack_level >= 2
    OR ((f.version_id IS NULL OR v.status <> 'draft') AND (
        (pack_level = 1 AND NOT f.is_restricted)
        OR EXISTS (SELECT FROM file_share AS s WHERE s.file_id = f.id AND (s.user_id = viewer OR s.role = ANY (roles)))
    ))
);

-- The newest version that is published and not yanked. Without filters, the pinned version if there is one.
CREATE OR REPLACE FUNCTION latest_version(p pack, in_channel text, for_mc text, for_loader text) RETURNS bigint
LANGUAGE sql STABLE
RETURN (
    SELECT v.id
    FROM version AS v
    WHERE v.pack_id = p.id AND v.deleted_at IS NULL AND v.status = 'published'
        AND (in_channel IS NULL OR v.channel = in_channel)
        AND (for_mc IS NULL OR v.mc_version = for_mc)
        AND (for_loader IS NULL OR v.loader = for_loader)
    ORDER BY (v.id = p.pinned_version) IS TRUE DESC, v.seq DESC
    LIMIT 1
);

-- The icon and the gallery of a pack. A restricted file is left out for every viewer.
-- Volatile, so that a statement that changes a pack shows it as it is then; PL/pgSQL, whose plan a connection keeps.
CREATE OR REPLACE FUNCTION show_pictures(of_pack bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT jsonb_build_object(
            'icon', (array_agg(shown.it) FILTER (WHERE shown.place = 'icon'))[1],
            'gallery', coalesce(jsonb_agg(shown.it ORDER BY shown.ordinal) FILTER (WHERE shown.place = 'gallery'), '[]')
        )
        FROM (
            SELECT p.place, p.ordinal, jsonb_build_object(
                'file_id', p.file_id, 'title', p.title, 'media_type', p.media_type,
                'url', format('/modpacks/%s/pictures/%s', p.pack_id, p.file_id)
            ) AS it
            FROM picture AS p
            JOIN file AS f ON f.id = p.file_id AND NOT f.is_restricted
            WHERE p.pack_id = of_pack
        ) AS shown
    );
END
$$;

-- A pack as statements read it. One row also for NULL, which functions that refuse return beside their outcome.
DROP FUNCTION IF EXISTS show_pack(pack);
CREATE FUNCTION show_pack(it pack)
RETURNS TABLE (
    id bigint, owner uuid, name text, description text, authors text[], visibility text, pictures jsonb,
    latest_id bigint, latest_name text, latest_mc_version text, created_at bigint, updated_at bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.owner, it.name, it.description, it.authors, it.visibility,
        show_pictures(it.id), v.id, v.name, v.mc_version, millis(it.created_at), millis(it.updated_at)
    FROM (VALUES (1)) AS once
    LEFT JOIN version AS v ON v.id = latest_version(it, NULL, NULL, NULL)
$$;

DROP FUNCTION IF EXISTS show_file(file);
CREATE FUNCTION show_file(it file)
RETURNS TABLE (
    id bigint, pack_id bigint, version_id bigint, path text, original_name text, size bigint, status text,
    failure text, side text, is_optional boolean, is_kept boolean, is_restricted boolean, sha1 text, sha256 text,
    sha512 text, murmur2 bigint, object uuid, source text, created_at bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.pack_id, it.version_id, it.path, it.original_name, it.size, it.status, it.failure, it.side,
        it.is_optional, it.is_kept, it.is_restricted, coalesce(b.sha1, it.source_sha1),
        coalesce(b.sha256, it.source_sha256), coalesce(b.sha512, it.source_sha512), b.murmur2, b.id, it.source,
        millis(it.created_at)
    FROM (VALUES (1)) AS once
    LEFT JOIN blob AS b ON b.id = it.blob_id
$$;
