-- $1 id, $2 name, $3 admin, $4 lines that were skipped, $5 lines
SELECT import_provider_file($1, $2, $3, $4, $5) AS outcome
