-- $1 fine, $2 caller, $3 caller is admin
SELECT CASE
    WHEN fine.id IS NULL THEN 'unknown_fine'
    WHEN $3::boolean OR sees_fine(fine, $2) THEN 'shown'
    ELSE 'forbidden'
END AS outcome, case_file(fine) AS document
FROM (VALUES (1)) AS once
LEFT JOIN fine ON fine.id = $1 AND ($3 OR hidden_at IS NULL)
