-- $1 id, $2 name, $3 admin, $4 lines of other kinds, $5 lines, $6 other kinds and how many lines of each
SELECT import_provider_file($1, $2, $3, $4, $5, $6) AS outcome
