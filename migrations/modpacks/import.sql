-- Imports. Locks are taken in this order: pack, version, file, import.

DROP FUNCTION IF EXISTS show_import(import);
CREATE FUNCTION show_import(it import)
RETURNS TABLE (
    id bigint, pack_id bigint, file_id bigint, version_id bigint, status text, failure text, linked int, unpacked int,
    refused jsonb, created_at bigint, ended_at bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.pack_id, it.file_id, it.version_id, it.status, it.failure, it.linked, it.unpacked, it.refused,
        millis(it.created_at), millis(it.ended_at)
$$;

-- Begins an import. The archive is a verified file of the pack itself, and has one running import at most.
CREATE OR REPLACE FUNCTION create_import(
    the_pack bigint, viewer uuid, roles text[], the_file bigint, the_name text, the_channel text
) RETURNS TABLE (outcome text, subject import)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    made import;
BEGIN
    opened := open_pack(the_pack, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome, NULL::import;
        RETURN;
    END IF;
    PERFORM FROM file
        WHERE id = the_file AND pack_id = the_pack AND version_id IS NULL AND status = 'ready' AND blob_id IS NOT NULL;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_file', NULL::import;
        RETURN;
    END IF;
    SELECT * INTO made FROM import WHERE file_id = the_file AND status = 'waiting';
    IF NOT FOUND THEN
        INSERT INTO import (pack_id, file_id, version_name, channel)
        VALUES (the_pack, the_file, the_name, the_channel)
        RETURNING * INTO made;
    END IF;
    RETURN QUERY SELECT 'done', made;
END
$$;

-- Claims an import for as long as the lease; then another worker may claim it.
CREATE OR REPLACE FUNCTION claim_import(lease interval) RETURNS SETOF import
LANGUAGE sql AS $$
    UPDATE import SET due_at = now() + lease, fence = fence + 1, attempts = attempts + 1
    WHERE id = (
        SELECT id FROM import
        WHERE status = 'waiting' AND due_at <= now()
        ORDER BY due_at LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
$$;

-- Puts a file of another server into a draft as a link. Repeated: no effect.
CREATE OR REPLACE FUNCTION link_file(
    the_pack bigint, the_version bigint, viewer uuid, roles text[], the_path text, the_name text, bytes bigint,
    the_side text, optional boolean, address text, the_sha1 text, the_sha256 text, the_sha512 text
) RETURNS TABLE (outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    f file;
BEGIN
    opened := open_version(the_pack, the_version, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome;
        RETURN;
    END IF;
    IF (opened.v).status <> 'draft' THEN
        RETURN QUERY SELECT 'version_published';
        RETURN;
    END IF;
    SELECT * INTO f FROM file
        WHERE pack_id = the_pack AND version_id = the_version AND folded(path) = folded(the_path);
    IF FOUND THEN
        RETURN QUERY SELECT CASE WHEN f.path = the_path AND f.source = address THEN 'done' ELSE 'path_taken' END;
        RETURN;
    END IF;
    IF (SELECT count(*) FROM file WHERE pack_id = the_pack AND version_id = the_version) >= 10000 THEN
        RETURN QUERY SELECT 'too_many_files';
        RETURN;
    END IF;
    INSERT INTO file (
        pack_id, version_id, owner, path, original_name, size, status, side, is_optional, is_kept, source, source_sha1,
        source_sha256, source_sha512
    )
    VALUES (
        the_pack, the_version, (opened.p).owner, the_path, the_name, bytes, 'ready', the_side, optional, false, address,
        the_sha1, the_sha256, the_sha512
    );
    RETURN QUERY SELECT 'done';
END
$$;
