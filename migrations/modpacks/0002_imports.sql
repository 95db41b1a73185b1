-- Packs of other platforms are taken apart in the background, and files may stay where others serve them.

CREATE TABLE import (
    id bigint DEFAULT random_id() PRIMARY KEY,
    pack_id bigint NOT NULL REFERENCES pack (id),
    -- The archive, which goes once it was taken apart.
    file_id bigint NOT NULL,
    -- The request of the draft that is made of it, so that a copy of the worker finds the same draft.
    request uuid NOT NULL DEFAULT gen_random_uuid(),
    version_id bigint,
    version_name text,
    channel text NOT NULL,
    status text NOT NULL DEFAULT 'waiting'
        CONSTRAINT import_status_known CHECK (status IN ('waiting', 'done', 'failed')),
    failure text,
    linked int NOT NULL DEFAULT 0,
    unpacked int NOT NULL DEFAULT 0,
    -- Files that were not taken, and why.
    refused jsonb NOT NULL DEFAULT '[]',
    attempts int NOT NULL DEFAULT 0,
    -- Late copies of a worker are refused by it.
    fence int NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    CONSTRAINT import_ended_or_waiting CHECK ((status = 'waiting') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX import_once_per_file ON import (file_id) WHERE status = 'waiting';
CREATE INDEX import_due ON import (due_at) WHERE status = 'waiting';

-- A file that others serve: its address, and the digests that its bytes must have.
ALTER TABLE file
    ADD COLUMN source text,
    ADD COLUMN source_sha1 text,
    ADD COLUMN source_sha256 text,
    ADD COLUMN source_sha512 text,
    DROP CONSTRAINT file_ready_with_bytes,
    ADD CONSTRAINT file_ready_with_bytes CHECK ((status = 'ready') = (blob_id IS NOT NULL OR source IS NOT NULL)),
    ADD CONSTRAINT file_here_or_elsewhere CHECK (num_nonnulls(blob_id, source) <= 1),
    ADD CONSTRAINT file_source_with_digest CHECK (source IS NULL OR num_nonnulls(source_sha256, source_sha512) > 0);
