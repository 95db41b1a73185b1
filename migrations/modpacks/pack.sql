-- Changing packs. Every function decides under the pack's lock what the viewer may do; a pack that they do not see is
-- 'unknown_pack', whether it exists or not.

-- Locks a pack and says whether the viewer may do what is `needed`.
CREATE OR REPLACE FUNCTION open_pack(
    the_pack bigint, viewer uuid, roles text[], needed int, OUT outcome text, OUT p pack
)
LANGUAGE plpgsql AS $$
DECLARE
    allowed int;
BEGIN
    SELECT * INTO p FROM pack WHERE id = the_pack FOR NO KEY UPDATE;
    allowed := level(p, viewer, roles, NULL);
    outcome := CASE WHEN allowed = 0 THEN 'unknown_pack' WHEN allowed < needed THEN 'forbidden' ELSE 'done' END;
    IF outcome <> 'done' THEN
        p := NULL;
    END IF;
END
$$;

-- Changes a pack; absent members stay as they are. Only the owner may change who sees it.
CREATE OR REPLACE FUNCTION change_pack(
    the_pack bigint, viewer uuid, roles text[], new_name text, new_description text, new_authors text[],
    new_visibility text
) RETURNS TABLE (outcome text, subject pack)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    p pack;
BEGIN
    opened := open_pack(the_pack, viewer, roles, CASE WHEN new_visibility IS NULL THEN 2 ELSE 3 END);
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome, NULL::pack;
        RETURN;
    END IF;
    UPDATE pack SET
        name = coalesce(new_name, name),
        description = coalesce(new_description, description),
        authors = coalesce(new_authors, authors),
        visibility = coalesce(new_visibility, visibility),
        updated_at = now()
    WHERE id = the_pack
    RETURNING * INTO p;
    RETURN QUERY SELECT 'done', p;
END
$$;

-- Removes everything that belongs to a pack. Its blobs are locked in the order of ids before their references are counted.
CREATE OR REPLACE FUNCTION drop_pack(the_pack bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM blob WHERE id IN (SELECT blob_id FROM file WHERE pack_id = the_pack) ORDER BY id FOR NO KEY UPDATE;
    UPDATE pack SET deleted_at = now(), pinned_version = NULL WHERE id = the_pack;
    UPDATE version SET deleted_at = now() WHERE pack_id = the_pack AND deleted_at IS NULL;
    PERFORM drop_files(ARRAY(SELECT id FROM file WHERE pack_id = the_pack ORDER BY id));
    DELETE FROM maintainer WHERE pack_id = the_pack;
    DELETE FROM pack_share WHERE pack_id = the_pack;
    DELETE FROM link WHERE pack_id = the_pack;
END
$$;

CREATE OR REPLACE FUNCTION delete_pack(the_pack bigint, viewer uuid, roles text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_pack(the_pack, viewer, roles, 3);
    IF opened.outcome = 'done' THEN
        PERFORM drop_pack(the_pack);
    END IF;
    RETURN opened.outcome;
END
$$;

-- Replaces the users and roles that see a pack.
CREATE OR REPLACE FUNCTION share_pack(
    the_pack bigint, viewer uuid, roles text[], with_users text[], with_logins text[], with_roles text[]
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_pack(the_pack, viewer, roles, 3);
    IF opened.outcome = 'done' THEN
        DELETE FROM pack_share WHERE pack_id = the_pack;
        INSERT INTO pack_share (pack_id, user_id, login)
            SELECT DISTINCT ON (named.id) the_pack, named.id::uuid, named.login
            FROM unnest(with_users, with_logins) AS named (id, login);
        INSERT INTO pack_share (pack_id, role)
            SELECT DISTINCT the_pack, named FROM unnest(with_roles) AS named;
    END IF;
    RETURN opened.outcome;
END
$$;

-- Replaces the maintainers of a pack.
CREATE OR REPLACE FUNCTION set_maintainers(
    the_pack bigint, viewer uuid, roles text[], users text[], logins text[]
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_pack(the_pack, viewer, roles, 3);
    IF opened.outcome = 'done' THEN
        DELETE FROM maintainer WHERE pack_id = the_pack;
        INSERT INTO maintainer (pack_id, user_id, login)
            SELECT DISTINCT ON (named.id) the_pack, named.id::uuid, named.login
            FROM unnest(users, logins) AS named (id, login);
    END IF;
    RETURN opened.outcome;
END
$$;

-- Replaces the pictures at one place of a pack: its icon, or its gallery in this order.
CREATE OR REPLACE FUNCTION put_pictures(
    the_pack bigint, viewer uuid, roles text[], the_place text, files bigint[], titles text[], media_types text[]
) RETURNS TABLE (outcome text, subject pack)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    p pack;
BEGIN
    opened := open_pack(the_pack, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome, NULL::pack;
        RETURN;
    END IF;
    -- The component read the files before the pack was locked, so they are checked again.
    IF (
        SELECT count(*) FROM file AS f
        WHERE f.id = ANY (files) AND f.pack_id = the_pack AND f.version_id IS NULL AND f.blob_id IS NOT NULL
    ) < cardinality(files) THEN
        RETURN QUERY SELECT 'unknown_file', NULL::pack;
        RETURN;
    END IF;
    DELETE FROM picture WHERE pack_id = the_pack AND place = the_place;
    INSERT INTO picture (pack_id, file_id, place, ordinal, title, media_type)
        SELECT the_pack, named.file_id, the_place, named.ordinal, named.title, named.media_type
        FROM unnest(files, titles, media_types) WITH ORDINALITY AS named (file_id, title, media_type, ordinal);
    UPDATE pack SET updated_at = now() WHERE id = the_pack RETURNING * INTO p;
    RETURN QUERY SELECT 'done', p;
END
$$;

-- Makes a version the latest, or, with NULL, the newest one again.
CREATE OR REPLACE FUNCTION pin_latest(the_pack bigint, viewer uuid, roles text[], the_version bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_pack(the_pack, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN opened.outcome;
    END IF;
    IF the_version IS NOT NULL AND NOT EXISTS (
        SELECT FROM version
        WHERE id = the_version AND pack_id = the_pack AND status = 'published' AND deleted_at IS NULL
    ) THEN
        RETURN 'unknown_version';
    END IF;
    UPDATE pack SET pinned_version = the_version, updated_at = now() WHERE id = the_pack;
    RETURN 'done';
END
$$;

-- Makes a link for friends. The number of links of a pack is limited, so that its owner can tell them apart.
CREATE OR REPLACE FUNCTION create_link(
    the_pack bigint, viewer uuid, roles text[], the_secret text, the_label text, ends_at timestamptz
) RETURNS TABLE (outcome text, id bigint)
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
    made bigint;
BEGIN
    opened := open_pack(the_pack, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN QUERY SELECT opened.outcome, NULL::bigint;
        RETURN;
    END IF;
    IF (SELECT count(*) FROM link AS l WHERE l.pack_id = the_pack AND l.revoked_at IS NULL) >= 100 THEN
        RETURN QUERY SELECT 'too_many_links', NULL::bigint;
        RETURN;
    END IF;
    INSERT INTO link (pack_id, secret, label, expires_at) VALUES (the_pack, the_secret, the_label, ends_at)
        RETURNING link.id INTO made;
    RETURN QUERY SELECT 'done', made;
END
$$;

CREATE OR REPLACE FUNCTION revoke_link(the_pack bigint, viewer uuid, roles text[], the_link bigint) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    opened record;
BEGIN
    opened := open_pack(the_pack, viewer, roles, 2);
    IF opened.outcome <> 'done' THEN
        RETURN opened.outcome;
    END IF;
    UPDATE link SET revoked_at = coalesce(revoked_at, now()) WHERE id = the_link AND pack_id = the_pack;
    IF NOT FOUND THEN
        RETURN 'unknown_link';
    END IF;
    RETURN 'done';
END
$$;

-- Removes an erased user's packs, one at a time, and their name from the packs of others; answers how many packs were removed.
CREATE OR REPLACE FUNCTION erase(the_user uuid, at_most int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    the_pack bigint;
    dropped int := 0;
BEGIN
    FOR the_pack IN
        SELECT id FROM pack WHERE owner = the_user AND deleted_at IS NULL ORDER BY id LIMIT at_most FOR NO KEY UPDATE
    LOOP
        PERFORM drop_pack(the_pack);
        dropped := dropped + 1;
    END LOOP;
    IF dropped = 0 THEN
        DELETE FROM maintainer WHERE user_id = the_user;
        DELETE FROM pack_share WHERE user_id = the_user;
        DELETE FROM file_share WHERE user_id = the_user;
        UPDATE pack SET name = 'erased', description = '', authors = '{}' WHERE owner = the_user;
    END IF;
    RETURN dropped;
END
$$;
