-- $1 days that closed cases are kept, $2 limit
SELECT anonymize($1, $2)
