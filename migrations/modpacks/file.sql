-- Files, their uploads, and the room that they take. Locks are taken in this order: pack, version, file, upload, blobs
-- by id, usage.

-- Makes the row in which a user's bytes are counted, unless it exists.
CREATE OR REPLACE FUNCTION open_usage(the_user uuid, default_quota bigint) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO usage AS u (user_id, quota) VALUES (the_user, default_quota)
    ON CONFLICT (user_id) DO UPDATE SET quota = CASE WHEN u.is_own_quota THEN u.quota ELSE default_quota END
$$;

-- Fails, which undoes the whole statement, when the user exceeds their quota.
CREATE OR REPLACE FUNCTION check_quota(the_user uuid) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM usage WHERE user_id = the_user AND stored + reserved > quota) THEN
        RAISE 'the quota is exceeded' USING ERRCODE = '23514', CONSTRAINT = 'usage_within_quota';
    END IF;
END
$$;

-- Drops the uploads of files that are removed: frees their reserved bytes, and leaves it to the sweep to delete the bytes in S3.
CREATE OR REPLACE FUNCTION drop_uploads(of_files bigint[]) RETURNS void
LANGUAGE sql AS $$
    WITH dropped AS (
        UPDATE upload SET status = 'dropping', file_id = NULL, due_at = now(), fence = fence + 1
        WHERE file_id = ANY (of_files) AND status <> 'dropping'
        RETURNING owner, size
    )
    UPDATE usage SET reserved = reserved - freed.size
    FROM (SELECT owner, sum(size) AS size FROM dropped GROUP BY owner) AS freed
    WHERE user_id = freed.owner
$$;

CREATE OR REPLACE FUNCTION drop_files(of_files bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM drop_uploads(of_files);
    DELETE FROM file WHERE id = ANY (of_files);
END
$$;

-- Begins the upload of a file of a draft, or, without a version, of the pack itself. The same path of the same size
-- goes on where it stopped; another size, or a file that failed, begins anew.
CREATE OR REPLACE FUNCTION create_file(
    the_pack bigint, the_version bigint, viewer uuid, roles text[], the_path text, the_name text, bytes bigint,
    the_side text, optional boolean, kept boolean, the_sha1 text, the_sha256 text, the_sha512 text, part_bytes bigint,
    default_quota bigint
) RETURNS TABLE (outcome text, subject file, upload upload)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    f file;
    u upload;
    p pack;
BEGIN
    IF the_version IS NULL THEN
        opened := open_pack(the_pack, viewer, roles, 2);
    ELSE
        opened := open_version(the_pack, the_version, viewer, roles, 2);
        IF opened.outcome = 'done' AND (opened.v).status <> 'draft' THEN
            RETURN QUERY SELECT 'version_published', NULL::file, NULL::upload;
            RETURN;
        END IF;
    END IF;
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome, NULL::file, NULL::upload;
        RETURN;
    END IF;
    p := opened.p;
    SELECT * INTO f FROM file
        WHERE pack_id = the_pack AND version_id IS NOT DISTINCT FROM the_version AND folded(path) = folded(the_path)
        FOR UPDATE;
    IF f.status IN ('uploading', 'verifying') AND f.size = bytes AND f.path = the_path THEN
        UPDATE upload SET due_at = CASE WHEN status = 'open' THEN now() + interval '1 day' ELSE due_at END
            WHERE file_id = f.id
            RETURNING * INTO u;
        IF (u.sha1, u.sha256, u.sha512) IS NOT DISTINCT FROM (the_sha1, the_sha256, the_sha512) THEN
            RETURN QUERY SELECT 'done', f, u;
            RETURN;
        END IF;
    END IF;
    IF f.status = 'ready' THEN
        RETURN QUERY SELECT 'path_taken', NULL::file, NULL::upload;
        RETURN;
    END IF;
    IF f.id IS NOT NULL THEN
        PERFORM drop_files(ARRAY[f.id]);
    END IF;
    IF (SELECT count(*) FROM file WHERE pack_id = the_pack AND version_id IS NOT DISTINCT FROM the_version) >= 10000 THEN
        RETURN QUERY SELECT 'too_many_files', NULL::file, NULL::upload;
        RETURN;
    END IF;
    PERFORM open_usage(p.owner, default_quota);
    UPDATE usage SET reserved = reserved + bytes WHERE user_id = p.owner;
    PERFORM check_quota(p.owner);
    INSERT INTO file (pack_id, version_id, owner, path, original_name, size, side, is_optional, is_kept)
    VALUES (the_pack, the_version, p.owner, the_path, the_name, bytes, the_side, optional, kept)
    RETURNING * INTO f;
    INSERT INTO upload (file_id, owner, size, part_size, sha1, sha256, sha512)
    VALUES (f.id, p.owner, bytes, part_bytes, the_sha1, the_sha256, the_sha512)
    RETURNING * INTO u;
    RETURN QUERY SELECT 'done', f, u;
END
$$;

-- Puts a verified file that the viewer sees at another path, or into another version of a pack that they may change,
-- without its bytes being sent again.
CREATE OR REPLACE FUNCTION reuse_file(
    the_pack bigint, the_version bigint, viewer uuid, roles text[], source bigint, the_path text, the_name text,
    the_side text, optional boolean, kept boolean, default_quota bigint
) RETURNS TABLE (outcome text, subject file)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    s file;
    made file;
BEGIN
    opened := open_version(the_pack, the_version, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome, NULL::file;
        RETURN;
    END IF;
    IF (opened.v).status <> 'draft' THEN
        RETURN QUERY SELECT 'version_published', NULL::file;
        RETURN;
    END IF;
    SELECT f.* INTO s
        FROM file AS f
        JOIN pack ON pack.id = f.pack_id
        LEFT JOIN version AS v ON v.id = f.version_id
        WHERE f.id = reuse_file.source AND f.status = 'ready'
            AND sees_file(f, v, level(pack, viewer, roles, NULL), viewer, roles);
    -- The blob may be deleted at this moment, so the check is repeated under its lock.
    PERFORM FROM blob WHERE id = s.blob_id AND status = 'live' AND refs > 0 FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_file', NULL::file;
        RETURN;
    END IF;
    IF EXISTS (
        SELECT FROM file
        WHERE pack_id = the_pack AND version_id = the_version AND folded(path) = folded(the_path)
    ) THEN
        RETURN QUERY SELECT 'path_taken', NULL::file;
        RETURN;
    END IF;
    PERFORM open_usage((opened.p).owner, default_quota);
    INSERT INTO file (
        pack_id, version_id, owner, path, original_name, size, status, blob_id, side, is_optional, is_kept
    )
    VALUES (
        the_pack, the_version, (opened.p).owner, the_path, coalesce(the_name, s.original_name), s.size, 'ready', s.blob_id,
        coalesce(the_side, s.side), coalesce(optional, s.is_optional), coalesce(kept, s.is_kept)
    )
    RETURNING * INTO made;
    PERFORM check_quota((opened.p).owner);
    RETURN QUERY SELECT 'done', made;
END
$$;

-- Locks a file behind its pack and version.
CREATE OR REPLACE FUNCTION open_file(
    the_file bigint, viewer uuid, roles text[], needed int, OUT outcome text, OUT f file, OUT v version
)
LANGUAGE plpgsql AS $$
DECLARE
    the_pack bigint;
    the_version bigint;
    opened record;
BEGIN
    SELECT pack_id, version_id INTO the_pack, the_version FROM file WHERE id = the_file;
    opened := open_pack(the_pack, viewer, roles, needed);
    IF opened.outcome <> 'done' THEN
        outcome := 'unknown_file';
        -- A viewer who sees the file is told that they may not change it; for others it does not exist.
        IF opened.outcome = 'forbidden' AND EXISTS (
            SELECT FROM file AS seen
            JOIN pack AS of_pack ON of_pack.id = seen.pack_id
            LEFT JOIN version AS of_version ON of_version.id = seen.version_id
            WHERE seen.id = the_file
                AND sees_file(seen, of_version, level(of_pack, viewer, roles, NULL), viewer, roles)
        ) THEN
            outcome := 'forbidden';
        END IF;
        RETURN;
    END IF;
    SELECT * INTO v FROM version WHERE id = the_version FOR NO KEY UPDATE;
    SELECT * INTO f FROM file WHERE id = the_file FOR UPDATE;
    outcome := CASE WHEN f.id IS NULL THEN 'unknown_file' ELSE 'done' END;
END
$$;

CREATE OR REPLACE FUNCTION delete_file(the_file bigint, viewer uuid, roles text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_file(the_file, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN opened.outcome;
    END IF;
    IF (opened.v).status <> 'draft' THEN
        RETURN 'version_published';
    END IF;
    PERFORM drop_files(ARRAY[the_file]);
    RETURN 'done';
END
$$;

-- Restricts a file to users and roles, or opens it to all who see its pack.
CREATE OR REPLACE FUNCTION share_file(
    the_file bigint, viewer uuid, roles text[], restricted boolean, with_users text[], with_logins text[],
    with_roles text[]
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_file(the_file, viewer, roles, 2);
    IF opened.outcome = 'done' THEN
        UPDATE file SET is_restricted = restricted WHERE id = the_file;
        DELETE FROM file_share WHERE file_id = the_file;
        INSERT INTO file_share (file_id, user_id, login)
            SELECT DISTINCT ON (named.id) the_file, named.id::uuid, named.login
            FROM unnest(with_users, with_logins) AS named (id, login);
        INSERT INTO file_share (file_id, role)
            SELECT DISTINCT the_file, named FROM unnest(with_roles) AS named;
    END IF;
    RETURN opened.outcome;
END
$$;

-- The upload of a file that the viewer may change. Asking for it keeps it from being abandoned.
CREATE OR REPLACE FUNCTION find_upload(the_file bigint, viewer uuid, roles text[])
RETURNS TABLE (outcome text, subject file, upload upload)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_file(the_file, viewer, roles, 2);
    UPDATE upload SET due_at = now() + interval '1 day' WHERE file_id = (opened.f).id AND status = 'open';
    RETURN QUERY SELECT opened.outcome, opened.f, u
        FROM (VALUES (1)) AS once
        LEFT JOIN upload AS u ON u.file_id = (opened.f).id;
END
$$;

-- The client says that all bytes are there: the worker verifies them from now on. The client may announce the digests only
-- now.
CREATE OR REPLACE FUNCTION complete_file(
    the_file bigint, viewer uuid, roles text[], the_sha1 text, the_sha256 text, the_sha512 text
) RETURNS TABLE (outcome text, subject file)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    u upload;
    f file;
BEGIN
    opened := open_file(the_file, viewer, roles, 2);
    f := opened.f;
    IF opened.outcome <> 'done' OR f.status <> 'uploading' THEN
        RETURN QUERY SELECT opened.outcome, f;
        RETURN;
    END IF;
    SELECT * INTO u FROM upload WHERE file_id = the_file FOR UPDATE;
    IF the_sha1 <> u.sha1 OR the_sha256 <> u.sha256 OR the_sha512 <> u.sha512 THEN
        RETURN QUERY SELECT 'other_digest', NULL::file;
        RETURN;
    END IF;
    UPDATE upload SET
        status = 'verifying', due_at = now(),
        sha1 = coalesce(sha1, the_sha1), sha256 = coalesce(sha256, the_sha256), sha512 = coalesce(sha512, the_sha512)
    WHERE file_id = the_file;
    UPDATE file SET status = 'verifying' WHERE id = the_file RETURNING * INTO f;
    RETURN QUERY SELECT 'done', f;
END
$$;

-- The bytes are as announced: they become a blob, unless there is one with the same content.
-- 'late': another worker has taken over, or the file is gone.
CREATE OR REPLACE FUNCTION finish_upload(
    the_upload uuid, the_fence int, the_sha1 text, the_sha256 text, the_sha512 text, the_murmur2 bigint
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    u upload;
    f file;
    the_blob uuid;
BEGIN
    SELECT file.* INTO f FROM upload JOIN file ON file.id = file_id WHERE upload.id = the_upload FOR UPDATE OF file;
    SELECT * INTO u FROM upload
        WHERE id = the_upload AND fence = the_fence AND status = 'verifying' AND file_id = f.id
        FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'late';
    END IF;
    INSERT INTO blob AS b (id, size, sha1, sha256, sha512, murmur2)
    VALUES (the_upload, u.size, the_sha1, the_sha256, the_sha512, the_murmur2)
    -- The update changes nothing; it locks the existing blob.
    ON CONFLICT (sha256) WHERE status = 'live' DO UPDATE SET size = b.size
    RETURNING id INTO the_blob;
    UPDATE file SET status = 'ready', blob_id = the_blob WHERE id = f.id;
    UPDATE usage SET reserved = reserved - u.size WHERE user_id = u.owner;
    IF the_blob = the_upload THEN
        DELETE FROM upload WHERE id = the_upload;
    ELSE
        UPDATE upload SET status = 'dropping', file_id = NULL, due_at = now() WHERE id = the_upload;
    END IF;
    RETURN 'done';
END
$$;

-- Fails an upload: the bytes are not as announced, or did not come.
CREATE OR REPLACE FUNCTION fail_upload(the_upload uuid, the_fence int, reason text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    the_file bigint;
BEGIN
    SELECT file_id INTO the_file FROM upload WHERE id = the_upload;
    PERFORM FROM file WHERE id = the_file FOR UPDATE;
    PERFORM FROM upload WHERE id = the_upload AND fence = the_fence AND file_id = the_file FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 'late';
    END IF;
    UPDATE file SET status = 'failed', failure = reason WHERE id = the_file;
    PERFORM drop_uploads(ARRAY[the_file]);
    RETURN 'done';
END
$$;

-- Claims an upload that is to be verified. `attempts` tells how many workers abandoned it: it may kill them, so the
-- component fails it after too many.
CREATE OR REPLACE FUNCTION claim_upload(lease interval) RETURNS SETOF upload
LANGUAGE sql AS $$
    UPDATE upload SET due_at = now() + lease, fence = fence + 1, attempts = attempts + 1
    WHERE id = (
        SELECT id FROM upload
        WHERE status = 'verifying' AND due_at <= now()
        ORDER BY due_at LIMIT 1
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
$$;

-- Claims uploads whose bytes are to be deleted in S3, and uploads without progress for a day.
CREATE OR REPLACE FUNCTION claim_dropped(at_most int, lease interval) RETURNS SETOF upload
LANGUAGE plpgsql AS $$
DECLARE
    abandoned bigint[];
BEGIN
    abandoned := ARRAY(
        SELECT file_id FROM upload WHERE status = 'open' AND due_at <= now() ORDER BY due_at LIMIT at_most
    );
    PERFORM FROM file WHERE id = ANY (abandoned) ORDER BY id FOR UPDATE;
    abandoned := ARRAY(
        SELECT file_id FROM upload WHERE file_id = ANY (abandoned) AND status = 'open' AND due_at <= now() FOR UPDATE
    );
    UPDATE file SET status = 'failed', failure = 'abandoned' WHERE id = ANY (abandoned);
    PERFORM drop_uploads(abandoned);
    RETURN QUERY
        UPDATE upload SET due_at = now() + lease
        WHERE id IN (
            SELECT id FROM upload
            WHERE status = 'dropping' AND due_at <= now()
            ORDER BY due_at LIMIT at_most
            FOR UPDATE SKIP LOCKED
        )
        RETURNING *;
END
$$;

-- Claims blobs that no file has needed for longer than any address to them is valid. The same content that is uploaded
-- again becomes another blob.
CREATE OR REPLACE FUNCTION claim_unused(at_most int) RETURNS SETOF uuid
LANGUAGE sql AS $$
    UPDATE blob SET status = 'dropping', unused_since = now()
    WHERE id IN (
        SELECT id FROM blob
        WHERE refs = 0 AND unused_since < now() - interval '2 minutes'
        ORDER BY unused_since LIMIT at_most
        FOR UPDATE SKIP LOCKED
    )
    RETURNING id
$$;
