-- $1 ticket, $2 caller
SELECT remove_ticket($1, $2) AS outcome
