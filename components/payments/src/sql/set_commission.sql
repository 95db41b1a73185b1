-- $1 owner, or null for all owners who have no commission of their own, $2 basis points or null, $3 admin, $4 reason
SELECT set_commission($1, $2, $3, $4)
