-- Photos of fines: the right and the time to add one.

CREATE OR REPLACE FUNCTION show_photo(it photo)
RETURNS TABLE (
    id uuid, fine_id bigint, size bigint, media_type text, by_staff boolean, taken_at bigint, added_at bigint, upload text,
    sha256 text
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.fine_id, it.size, it.media_type, it.by_staff, millis(it.taken_at), millis(it.added_at), it.upload,
        it.sha256
$$;

-- As the case file names them.
CREATE OR REPLACE FUNCTION photos_of(the_fine bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', id, 'sha256', sha256, 'bytes', size, 'media_type', media_type, 'by_staff', by_staff,
        'taken_at', to_char(taken_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'added_at', to_char(added_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    ) ORDER BY added_at, id), '[]')
    FROM photo
    WHERE fine_id = the_fine AND sha256 IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION add_photo(
    the_photo uuid, the_fine bigint, the_caller uuid, is_admin boolean, bytes bigint, the_type text, taken timestamptz
) RETURNS TABLE (outcome text, subject photo)
LANGUAGE plpgsql AS $$
DECLARE
    f fine;
    p photo;
    refusal text;
    of_driver boolean;
BEGIN
    SELECT * INTO f FROM fine WHERE id = the_fine AND hidden_at IS NULL AND anonymized_at IS NULL FOR NO KEY UPDATE;
    of_driver := EXISTS (SELECT FROM feed WHERE feed.fine_id = the_fine AND user_id = the_caller);
    refusal := CASE
        WHEN f.id IS NULL THEN 'unknown_fine'
        WHEN NOT (of_driver OR is_admin OR works_in_zone(f.zone_id, the_caller)) THEN 'forbidden'
        WHEN of_driver AND NOT EXISTS (SELECT FROM appeal WHERE appeal.fine_id = the_fine AND status = 'open')
            THEN 'photos_closed'
        WHEN NOT of_driver AND f.issued_at < now() - interval '7 days' THEN 'photos_closed'
        WHEN (SELECT count(*) FROM photo WHERE photo.fine_id = the_fine AND by_staff <> of_driver) >= 10
            THEN 'too_many_photos'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::photo;
        RETURN;
    END IF;
    INSERT INTO photo (id, fine_id, author, by_staff, size, media_type, taken_at)
    VALUES (the_photo, the_fine, the_caller, NOT of_driver, bytes, the_type, taken)
    RETURNING * INTO p;
    RETURN QUERY SELECT 'created', p;
END
$$;
