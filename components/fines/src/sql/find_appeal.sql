-- $1 fine, $2 caller, $3 caller is admin
SELECT shown.*, coalesce((
    SELECT jsonb_agg(jsonb_build_object(
        'id', appeal_message.id,
        'at', to_char(written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'is_staff', is_staff,
        'text', text
    ) ORDER BY appeal_message.id)
    FROM appeal_message WHERE appeal_message.fine_id = fine.id
), '[]') AS messages
FROM fine
JOIN appeal ON appeal.fine_id = fine.id
CROSS JOIN LATERAL show_appeal(appeal) AS shown
WHERE fine.id = $1 AND ($3::boolean OR (hidden_at IS NULL AND sees_fine(fine, $2)))
