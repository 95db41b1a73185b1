-- Pictures of packs: an icon, and a gallery. They are files of the pack itself that were verified and found to be images,
-- so they count against the quota of its owner and are seen by those who see the pack.

CREATE TABLE picture (
    pack_id bigint NOT NULL REFERENCES pack (id),
    file_id bigint NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    place text NOT NULL CONSTRAINT picture_place_known CHECK (place IN ('icon', 'gallery')),
    ordinal bigint NOT NULL,
    title text NOT NULL,
    -- What the bytes are, whatever the file is called.
    media_type text NOT NULL
        CONSTRAINT picture_type_known CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    PRIMARY KEY (file_id, place)
);
CREATE UNIQUE INDEX picture_one_icon ON picture (pack_id) WHERE place = 'icon';
CREATE INDEX picture_by_pack ON picture (pack_id, place, ordinal);
