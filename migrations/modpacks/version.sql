-- Making versions, in the order in which they lock their pack.

DROP FUNCTION IF EXISTS create_version(
    uuid, bigint, uuid, text[], text, text, text, text, text, text, bigint, bigint
);
DROP FUNCTION IF EXISTS change_version(bigint, bigint, uuid, text[], text, text, text, text, text, text);

-- Makes a draft. With `based_on` it begins with the files of a version that the viewer sees, except restricted files that
-- they do not see. When no dependencies are named it gets those of that version.
CREATE OR REPLACE FUNCTION create_version(
    the_request uuid, the_pack bigint, viewer uuid, roles text[], the_name text, the_channel text, the_mc_version text,
    the_loader text, the_loader_version text, the_changelog text, the_dependencies jsonb, based_on bigint,
    default_quota bigint
) RETURNS TABLE (outcome text, subject version)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    v version;
    base version;
    refusal text;
BEGIN
    opened := open_pack(the_pack, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome, NULL::version;
        RETURN;
    END IF;
    SELECT * INTO v FROM version WHERE request = the_request;
    IF FOUND THEN
        RETURN QUERY SELECT 'done', v;
        RETURN;
    END IF;
    IF based_on IS NOT NULL THEN
        SELECT * INTO base FROM version WHERE id = based_on AND pack_id = the_pack AND deleted_at IS NULL;
        IF NOT FOUND THEN
            RETURN QUERY SELECT 'unknown_version', NULL::version;
            RETURN;
        END IF;
    END IF;
    IF (SELECT count(*) FROM version WHERE pack_id = the_pack AND status = 'draft' AND deleted_at IS NULL) >= 100 THEN
        RETURN QUERY SELECT 'too_many_drafts', NULL::version;
        RETURN;
    END IF;
    refusal := check_dependencies(the_pack, viewer, roles, the_dependencies);
    IF refusal <> 'done' THEN
        RETURN QUERY SELECT refusal, NULL::version;
        RETURN;
    END IF;
    INSERT INTO version (request, pack_id, name, channel, mc_version, loader, loader_version, changelog)
    VALUES (the_request, the_pack, the_name, the_channel, the_mc_version, the_loader, the_loader_version, the_changelog)
    RETURNING * INTO v;
    PERFORM put_dependencies(v.id, the_dependencies);
    IF base.id IS NOT NULL AND the_dependencies IS NULL THEN
        INSERT INTO dependency (
            version_id, ordinal, kind, pack_id, min_version_id, max_version_id, platform, project, version_range
        )
        SELECT v.id, ordinal, kind, pack_id, min_version_id, max_version_id, platform, project, version_range
        FROM dependency
        WHERE version_id = base.id;
    END IF;
    IF base.id IS NOT NULL THEN
        PERFORM open_usage((opened.p).owner, default_quota);
        PERFORM FROM blob WHERE id IN (SELECT blob_id FROM file WHERE version_id = base.id) ORDER BY id FOR NO KEY UPDATE;
        INSERT INTO file (
            pack_id, version_id, owner, path, original_name, size, status, blob_id, side, is_optional, is_kept,
            is_restricted, source, source_sha1, source_sha256, source_sha512
        )
        SELECT pack_id, v.id, owner, path, original_name, size, status, blob_id, side, is_optional, is_kept,
            is_restricted, source, source_sha1, source_sha256, source_sha512
        FROM file
        WHERE version_id = base.id AND status = 'ready';
        INSERT INTO file_share (file_id, user_id, login, role)
        SELECT made.id, s.user_id, s.login, s.role
        FROM file AS made
        JOIN file AS source ON source.version_id = base.id AND folded(source.path) = folded(made.path)
        JOIN file_share AS s ON s.file_id = source.id
        WHERE made.version_id = v.id;
        PERFORM check_quota((opened.p).owner);
    END IF;
    RETURN QUERY SELECT 'done', v;
END
$$;

-- Locks the pack of a version, then the version.
CREATE OR REPLACE FUNCTION open_version(
    the_pack bigint, the_version bigint, viewer uuid, roles text[], needed int, OUT outcome text, OUT p pack,
    OUT v version
)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_pack(the_pack, viewer, roles, needed);
    outcome := opened.outcome;
    p := opened.p;
    IF outcome = 'done' THEN
        SELECT * INTO v FROM version
            WHERE id = the_version AND pack_id = the_pack AND deleted_at IS NULL
            FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            outcome := 'unknown_version';
        END IF;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION change_version(
    the_pack bigint, the_version bigint, viewer uuid, roles text[], new_name text, new_channel text,
    new_mc_version text, new_loader text, new_loader_version text, new_changelog text, new_dependencies jsonb
) RETURNS TABLE (outcome text, subject version)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    changed version;
    refusal text;
BEGIN
    opened := open_version(the_pack, the_version, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome, NULL::version;
        RETURN;
    END IF;
    IF (opened.v).status <> 'draft' THEN
        RETURN QUERY SELECT 'version_published', NULL::version;
        RETURN;
    END IF;
    refusal := check_dependencies(the_pack, viewer, roles, new_dependencies);
    IF refusal <> 'done' THEN
        RETURN QUERY SELECT refusal, NULL::version;
        RETURN;
    END IF;
    IF new_dependencies IS NOT NULL THEN
        PERFORM put_dependencies(the_version, new_dependencies);
    END IF;
    UPDATE version SET
        name = coalesce(new_name, name),
        channel = coalesce(new_channel, channel),
        mc_version = coalesce(new_mc_version, mc_version),
        loader = coalesce(new_loader, loader),
        loader_version = coalesce(new_loader_version, loader_version),
        changelog = coalesce(new_changelog, changelog),
        updated_at = now()
    WHERE id = the_version
    RETURNING * INTO changed;
    RETURN QUERY SELECT 'done', changed;
END
$$;

-- Whether a file of a version has the path of a folder of other files, on some file system: such a version cannot be
-- installed.
CREATE OR REPLACE FUNCTION has_file_and_folder(the_version bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT folded(path) FROM file WHERE version_id = the_version
        INTERSECT
        SELECT array_to_string(names[:depth], '/')
        FROM file
        CROSS JOIN LATERAL string_to_array(folded(path), '/') AS names
        CROSS JOIN LATERAL generate_series(1, cardinality(names) - 1) AS depth
        WHERE version_id = the_version
    );
END
$$;

-- Publishes a version. All its files have to be verified.
CREATE OR REPLACE FUNCTION publish_version(the_pack bigint, the_version bigint, viewer uuid, roles text[])
RETURNS TABLE (outcome text, subject version)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    published version;
BEGIN
    opened := open_version(the_pack, the_version, viewer, roles, 2);
    IF opened.outcome <> 'done' OR (opened.v).status = 'published' THEN
        RETURN QUERY SELECT opened.outcome, opened.v;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM file WHERE version_id = the_version AND status <> 'ready') THEN
        RETURN QUERY SELECT 'files_pending', NULL::version;
        RETURN;
    END IF;
    IF (opened.v).status = 'draft' AND has_file_and_folder(the_version) THEN
        RETURN QUERY SELECT 'file_and_folder', NULL::version;
        RETURN;
    END IF;
    UPDATE version SET
        status = 'published',
        published_at = coalesce(published_at, now()),
        updated_at = now(),
        file_count = (SELECT count(*) FROM file WHERE version_id = the_version),
        total_size = (SELECT coalesce(sum(size), 0) FROM file WHERE version_id = the_version)
    WHERE id = the_version
    RETURNING * INTO published;
    UPDATE pack SET updated_at = now() WHERE id = the_pack;
    RETURN QUERY SELECT 'done', published;
END
$$;

-- Yanks a version: it is not offered any more, and still seen by viewers who have it.
CREATE OR REPLACE FUNCTION yank_version(the_pack bigint, the_version bigint, viewer uuid, roles text[])
RETURNS TABLE (outcome text, subject version)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    yanked version;
BEGIN
    opened := open_version(the_pack, the_version, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome, NULL::version;
        RETURN;
    END IF;
    IF (opened.v).status = 'draft' THEN
        RETURN QUERY SELECT 'not_published', NULL::version;
        RETURN;
    END IF;
    UPDATE version SET status = 'yanked', updated_at = now() WHERE id = the_version RETURNING * INTO yanked;
    UPDATE pack SET updated_at = now() WHERE id = the_pack;
    RETURN QUERY SELECT 'done', yanked;
END
$$;

CREATE OR REPLACE FUNCTION delete_version(the_pack bigint, the_version bigint, viewer uuid, roles text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_version(the_pack, the_version, viewer, roles, 2);
    IF opened.outcome = 'done' THEN
        PERFORM FROM blob WHERE id IN (SELECT blob_id FROM file WHERE version_id = the_version)
            ORDER BY id FOR NO KEY UPDATE;
        UPDATE version SET deleted_at = now(), updated_at = now() WHERE id = the_version;
        PERFORM drop_files(ARRAY(SELECT id FROM file WHERE version_id = the_version ORDER BY id));
        UPDATE pack SET
            pinned_version = CASE WHEN pinned_version <> the_version THEN pinned_version END, updated_at = now()
        WHERE id = the_pack;
    END IF;
    RETURN opened.outcome;
END
$$;
