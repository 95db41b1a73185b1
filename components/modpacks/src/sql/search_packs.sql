-- $1 viewer, $2 roles, $3 words, $4 owner, $5 version of the game, $6 loader, $7 limit, $8 offset
SELECT shown.*
FROM (
    SELECT pack
    FROM pack
    WHERE deleted_at IS NULL AND is_listed(pack, $1, $2)
        AND ($3::text IS NULL
            OR to_tsvector('simple', name || ' ' || description) @@ websearch_to_tsquery('simple', $3))
        AND ($4::uuid IS NULL OR owner = $4)
        AND (($5::text IS NULL AND $6::text IS NULL) OR EXISTS (
            SELECT FROM version AS v
            WHERE v.pack_id = pack.id AND v.deleted_at IS NULL AND v.status = 'published'
                AND ($5::text IS NULL OR v.mc_version = $5) AND ($6::text IS NULL OR v.loader = $6)
        ))
    ORDER BY updated_at DESC, id
    LIMIT $7::bigint OFFSET $8::bigint
) AS found (it)
CROSS JOIN LATERAL show_pack(it) AS shown
ORDER BY shown.updated_at DESC, shown.id
