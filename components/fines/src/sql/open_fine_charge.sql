-- $1 fine or $2 its reference, $3 payer, $4 method, $5 the payer gives up the appeal
SELECT outcome, shown.*, asked.*
FROM open_fine_charge($1, $2, $3, $4, $5) AS opened
CROSS JOIN LATERAL show_fine(opened.subject) AS shown
CROSS JOIN LATERAL show_charge(opened.due) AS asked
