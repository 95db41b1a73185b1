-- $1 zone, $2 caller, $3 caller is admin
SELECT CASE
    WHEN NOT EXISTS (SELECT FROM zone WHERE id = $1 AND removed_at IS NULL) THEN 'unknown_zone'
    WHEN NOT ($3::boolean OR runs_zone($1, $2)) THEN 'forbidden'
    ELSE 'shown'
END AS outcome
