-- $1 fine or $2 its reference, $3 caller, $4 caller is admin, $5 parts of a plan that is not chosen yet
-- The plan, for users who may see the fine.
SELECT CASE
    WHEN fine.id IS NULL THEN 'unknown_fine'
    WHEN $2::text IS NULL AND NOT ($4::boolean OR sees_fine(fine, $3)) THEN 'forbidden'
    WHEN plan_parts IS NULL AND ($5::int IS NULL OR NOT offers_plan(fine, $5, now())) THEN 'no_plan'
    ELSE 'shown'
END AS outcome, coalesce(show_plan(fine, $5), 'null') AS plan
FROM (VALUES (1)) AS once
LEFT JOIN fine ON (fine.id = $1 OR fine.reference = $2) AND hidden_at IS NULL
