-- PostgreSQL does not read moments of the year 0 and before as they were written, so that each search with a window failed at a
-- place with such a blackout. Blackouts before 1970 are refused by now; those that were stored go, and what of them is still to
-- come stays.
UPDATE place SET blackouts = (
    SELECT coalesce(jsonb_agg(
        CASE WHEN closed ->> 'from' < '1970' COLLATE "C"
            THEN jsonb_set(closed, '{from}', '"1970-01-01T00:00:00Z"') ELSE closed END
        ORDER BY position
    ), '[]')
    FROM jsonb_array_elements(blackouts) WITH ORDINALITY AS stored (closed, position)
    WHERE closed ->> 'to' >= '1971' COLLATE "C"
)
WHERE EXISTS (
    SELECT FROM jsonb_array_elements(blackouts) AS closed WHERE closed ->> 'from' < '1970' COLLATE "C"
);
