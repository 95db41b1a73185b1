-- What a version needs beside itself: versions of other packs, and projects on other platforms.

CREATE TABLE dependency (
    version_id bigint NOT NULL REFERENCES version (id),
    ordinal bigint NOT NULL,
    kind text NOT NULL
        CONSTRAINT dependency_kind_known CHECK (kind IN ('required', 'optional', 'incompatible')),
    pack_id bigint REFERENCES pack (id),
    -- From one version of the pack to another, in the order of their creation. An exact version is both.
    min_version_id bigint REFERENCES version (id),
    max_version_id bigint REFERENCES version (id),
    -- A project elsewhere, as its platform names it.
    platform text,
    project text,
    version_range text,
    PRIMARY KEY (version_id, ordinal),
    CONSTRAINT dependency_once UNIQUE NULLS NOT DISTINCT (version_id, pack_id, platform, project),
    CONSTRAINT dependency_on_one
        CHECK (num_nonnulls(pack_id, platform) = 1 AND (platform IS NULL) = (project IS NULL)),
    CONSTRAINT dependency_range_of_its_own CHECK (
        (pack_id IS NOT NULL OR num_nonnulls(min_version_id, max_version_id) = 0)
        AND (platform IS NOT NULL OR version_range IS NULL)
    )
);

-- They are a part of the version, which does not change once it is published.
CREATE FUNCTION keep_dependencies() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
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

CREATE TRIGGER dependency_keeps_published BEFORE INSERT OR UPDATE OR DELETE ON dependency
    FOR EACH ROW EXECUTE FUNCTION keep_dependencies();
