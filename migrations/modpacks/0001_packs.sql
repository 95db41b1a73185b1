-- Packs, their versions and files, and the bytes behind the files.

-- Ids are drawn from 52 bits, which JSON numbers carry exactly: a hidden row leaves no gap that could be counted, and
-- an unlisted pack is found only with its id.
CREATE FUNCTION random_id() RETURNS bigint
LANGUAGE sql VOLATILE
RETURN (
    SELECT ('x' || substr(digits, 1, 12) || substr(digits, 14, 1))::bit(52)::bigint
    FROM (SELECT replace(gen_random_uuid()::text, '-', '') AS digits) AS drawn
);

-- Names and paths that readers, or file systems, take for the same.
CREATE FUNCTION folded(text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(normalize(text, NFKC));

CREATE TABLE pack (
    id bigint DEFAULT random_id() PRIMARY KEY,
    -- The client's request: a copy of it finds the pack that the first one made.
    request uuid CONSTRAINT pack_once_per_request UNIQUE,
    owner uuid NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    authors text[] NOT NULL,
    visibility text NOT NULL
        CONSTRAINT pack_visibility_known CHECK (visibility IN ('public', 'unlisted', 'private')),
    -- The version that is the latest whatever came after it.
    pinned_version bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);

-- A private name must not be found out by taking it: it is unique among its owner's packs only.
CREATE UNIQUE INDEX pack_name_public ON pack (folded(name)) WHERE visibility = 'public' AND deleted_at IS NULL;
CREATE UNIQUE INDEX pack_name_own ON pack (owner, folded(name)) WHERE deleted_at IS NULL;
CREATE INDEX pack_recent ON pack (updated_at DESC, id) WHERE deleted_at IS NULL;
CREATE INDEX pack_public_recent ON pack (updated_at DESC, id) WHERE visibility = 'public' AND deleted_at IS NULL;
CREATE INDEX pack_searched ON pack USING gin (to_tsvector('simple', name || ' ' || description))
    WHERE deleted_at IS NULL;

CREATE TABLE maintainer (
    pack_id bigint NOT NULL REFERENCES pack (id),
    user_id uuid NOT NULL,
    login text NOT NULL,
    PRIMARY KEY (pack_id, user_id)
);
CREATE INDEX maintainer_by_user ON maintainer (user_id);

-- Who sees a private pack: a user, or everyone with a role.
CREATE TABLE pack_share (
    pack_id bigint NOT NULL REFERENCES pack (id),
    user_id uuid,
    login text,
    role text,
    CONSTRAINT pack_share_with_one CHECK (num_nonnulls(user_id, role) = 1 AND (user_id IS NULL) = (login IS NULL)),
    CONSTRAINT pack_share_once UNIQUE NULLS NOT DISTINCT (pack_id, user_id, role)
);
CREATE INDEX pack_share_by_user ON pack_share (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX pack_share_by_role ON pack_share (role) WHERE role IS NOT NULL;

-- Links for friends without an account. Only the digest of a secret is kept.
CREATE TABLE link (
    id bigint DEFAULT random_id() PRIMARY KEY,
    pack_id bigint NOT NULL REFERENCES pack (id),
    secret text NOT NULL CONSTRAINT link_secret_once UNIQUE,
    label text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX link_by_pack ON link (pack_id);

CREATE TABLE version (
    id bigint DEFAULT random_id() PRIMARY KEY,
    request uuid CONSTRAINT version_once_per_request UNIQUE,
    pack_id bigint NOT NULL REFERENCES pack (id),
    -- The order of creation: names are free text and do not sort.
    seq bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL,
    channel text NOT NULL CONSTRAINT version_channel_known CHECK (channel IN ('release', 'beta', 'alpha')),
    mc_version text NOT NULL,
    loader text,
    loader_version text,
    changelog text NOT NULL,
    status text NOT NULL DEFAULT 'draft'
        CONSTRAINT version_status_known CHECK (status IN ('draft', 'published', 'yanked')),
    -- Of the files of a version that was published.
    file_count int NOT NULL DEFAULT 0,
    total_size bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    deleted_at timestamptz,
    CONSTRAINT version_published_once_it_is CHECK ((status = 'draft') = (published_at IS NULL))
);
CREATE UNIQUE INDEX version_name_once ON version (pack_id, folded(name)) WHERE deleted_at IS NULL;
CREATE INDEX version_newest ON version (pack_id, seq DESC) WHERE deleted_at IS NULL;

-- Bytes that were verified, once for each content. The key of the object is made of the id.
CREATE TABLE blob (
    id uuid PRIMARY KEY,
    size bigint NOT NULL,
    sha1 text NOT NULL,
    sha256 text NOT NULL,
    sha512 text NOT NULL,
    -- CurseForge's fingerprint.
    murmur2 bigint NOT NULL,
    refs bigint NOT NULL DEFAULT 0 CONSTRAINT blob_refs_counted CHECK (refs >= 0),
    -- 'dropping': its object is being deleted, and the same content that comes anew becomes a blob of its own.
    status text NOT NULL DEFAULT 'live' CONSTRAINT blob_status_known CHECK (status IN ('live', 'dropping')),
    unused_since timestamptz DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT blob_dropped_unused CHECK (status = 'live' OR refs = 0)
);
CREATE UNIQUE INDEX blob_once ON blob (sha256) WHERE status = 'live';
CREATE INDEX blob_by_sha1 ON blob (sha1);
CREATE INDEX blob_by_sha512 ON blob (sha512);
CREATE INDEX blob_by_murmur2 ON blob (murmur2);
CREATE INDEX blob_unused ON blob (unused_since) WHERE refs = 0;

-- A path of a version, or of the pack itself (an icon, pictures).
CREATE TABLE file (
    id bigint DEFAULT random_id() PRIMARY KEY,
    pack_id bigint NOT NULL REFERENCES pack (id),
    version_id bigint REFERENCES version (id),
    -- Whose quota it counts against: the owner of the pack.
    owner uuid NOT NULL,
    path text NOT NULL,
    original_name text NOT NULL,
    size bigint NOT NULL CONSTRAINT file_size_positive CHECK (size > 0),
    status text NOT NULL DEFAULT 'uploading'
        CONSTRAINT file_status_known CHECK (status IN ('uploading', 'verifying', 'ready', 'failed')),
    -- Why a file failed.
    failure text,
    blob_id uuid REFERENCES blob (id),
    side text NOT NULL CONSTRAINT file_side_known CHECK (side IN ('both', 'client', 'server')),
    is_optional boolean NOT NULL,
    -- A player's own copy is kept when the pack is updated.
    is_kept boolean NOT NULL,
    -- Seen by those alone whom `file_share` names.
    is_restricted boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT file_ready_with_bytes CHECK ((status = 'ready') = (blob_id IS NOT NULL))
);
-- Windows and macOS take `Mods/a.jar` and `mods/a.jar` for one file.
CREATE UNIQUE INDEX file_path_once ON file (pack_id, version_id, folded(path)) NULLS NOT DISTINCT;
CREATE INDEX file_by_version ON file (version_id);
CREATE INDEX file_by_blob ON file (blob_id) WHERE blob_id IS NOT NULL;
CREATE INDEX file_by_owner ON file (owner);

CREATE TABLE file_share (
    file_id bigint NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    user_id uuid,
    login text,
    role text,
    CONSTRAINT file_share_with_one CHECK (num_nonnulls(user_id, role) = 1 AND (user_id IS NULL) = (login IS NULL)),
    CONSTRAINT file_share_once UNIQUE NULLS NOT DISTINCT (file_id, user_id, role)
);
CREATE INDEX file_share_by_user ON file_share (user_id) WHERE user_id IS NOT NULL;

-- Bytes on their way. The object becomes a blob of the same id once it is verified. A row outlives its file: what S3
-- still keeps for it is deleted first.
CREATE TABLE upload (
    id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    file_id bigint CONSTRAINT upload_once_per_file UNIQUE,
    owner uuid NOT NULL,
    size bigint NOT NULL,
    part_size bigint NOT NULL,
    -- S3's id of the multipart upload.
    s3_id text,
    -- What the client says it sends, and what has to be true.
    sha1 text,
    sha256 text,
    sha512 text,
    status text NOT NULL DEFAULT 'open'
        CONSTRAINT upload_status_known CHECK (status IN ('open', 'verifying', 'dropping')),
    -- How far the bytes were read, and the states of the digests there.
    read_to bigint NOT NULL DEFAULT 0,
    digests bytea,
    attempts int NOT NULL DEFAULT 0,
    -- Late copies of a worker are refused by it.
    fence int NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now() + interval '1 day',
    CONSTRAINT upload_without_file_goes CHECK (file_id IS NOT NULL OR status = 'dropping')
);
CREATE INDEX upload_due ON upload (due_at);
CREATE INDEX upload_verifying ON upload (due_at) WHERE status = 'verifying';

-- What a user keeps here. Equal content counts once for each owner, whoever else has it: what others keep cannot be
-- found out by what an upload costs.
CREATE TABLE usage (
    user_id uuid PRIMARY KEY,
    quota bigint NOT NULL,
    -- Chosen by an admin; the default of the platform does not change it.
    is_own_quota boolean NOT NULL DEFAULT false,
    stored bigint NOT NULL DEFAULT 0 CONSTRAINT usage_stored_counted CHECK (stored >= 0),
    -- Promised to uploads.
    reserved bigint NOT NULL DEFAULT 0 CONSTRAINT usage_reserved_counted CHECK (reserved >= 0)
);

CREATE TABLE holding (
    owner uuid NOT NULL,
    blob_id uuid NOT NULL REFERENCES blob (id),
    refs bigint NOT NULL CONSTRAINT holding_refs_counted CHECK (refs > 0),
    PRIMARY KEY (owner, blob_id)
);
CREATE INDEX holding_by_blob ON holding (blob_id);

-- Files count the references to their blobs by themselves, whichever statement makes or removes them. A statement
-- that does so for several blobs locks them first, in the order of their ids.
CREATE FUNCTION count_reference() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    bytes bigint;
    held bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.blob_id, OLD.owner) IS NOT DISTINCT FROM (NEW.blob_id, NEW.owner) THEN
        RETURN NULL;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') AND NEW.blob_id IS NOT NULL THEN
        UPDATE blob SET refs = refs + 1, unused_since = NULL WHERE id = NEW.blob_id AND status = 'live'
            RETURNING size INTO STRICT bytes;
        INSERT INTO holding AS h (owner, blob_id, refs) VALUES (NEW.owner, NEW.blob_id, 1)
            ON CONFLICT (owner, blob_id) DO UPDATE SET refs = h.refs + 1
            RETURNING refs INTO held;
        IF held = 1 THEN
            UPDATE usage SET stored = stored + bytes WHERE user_id = NEW.owner;
        END IF;
    END IF;
    IF TG_OP IN ('DELETE', 'UPDATE') AND OLD.blob_id IS NOT NULL THEN
        UPDATE blob SET refs = refs - 1, unused_since = CASE WHEN refs = 1 THEN now() END WHERE id = OLD.blob_id
            RETURNING size INTO STRICT bytes;
        DELETE FROM holding WHERE owner = OLD.owner AND blob_id = OLD.blob_id AND refs = 1;
        IF FOUND THEN
            UPDATE usage SET stored = stored - bytes WHERE user_id = OLD.owner;
        ELSE
            UPDATE holding SET refs = refs - 1 WHERE owner = OLD.owner AND blob_id = OLD.blob_id;
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER file_counts_references AFTER INSERT OR DELETE OR UPDATE OF blob_id, owner ON file
    FOR EACH ROW EXECUTE FUNCTION count_reference();

-- The content of a version never changes once it is published, whichever statement tries; it goes as a whole.
CREATE FUNCTION keep_published() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'version' THEN
        IF OLD.status <> 'draft' AND (
            NEW.status = 'draft'
            OR (OLD.pack_id, OLD.seq, OLD.name, OLD.channel, OLD.mc_version, OLD.loader, OLD.loader_version, OLD.changelog)
                IS DISTINCT FROM
                (NEW.pack_id, NEW.seq, NEW.name, NEW.channel, NEW.mc_version, NEW.loader, NEW.loader_version, NEW.changelog)
        ) THEN
            RAISE 'a published version does not change' USING ERRCODE = '23514', CONSTRAINT = 'version_is_published';
        END IF;
        RETURN NEW;
    END IF;
    IF EXISTS (
        SELECT FROM version
        WHERE id IN (OLD.version_id, NEW.version_id) AND status <> 'draft' AND deleted_at IS NULL
    ) THEN
        RAISE 'a published version does not change' USING ERRCODE = '23514', CONSTRAINT = 'version_is_published';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER version_keeps_published BEFORE UPDATE ON version
    FOR EACH ROW EXECUTE FUNCTION keep_published();
CREATE TRIGGER file_keeps_published
    BEFORE INSERT OR DELETE OR UPDATE OF version_id, path, original_name, size, blob_id, status, side, is_optional, is_kept ON file
    FOR EACH ROW EXECUTE FUNCTION keep_published();
