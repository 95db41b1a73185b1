-- $1 fine or $2 its reference, $3 payer, $4 method, $5 the payer gives up the appeal, $6 the part that is paid, $7 the
-- parts of a plan that begins
SELECT outcome, shown.*, asked.*
FROM open_fine_charge($1, $2, $3, $4, $5, $6, $7) AS opened
CROSS JOIN LATERAL show_fine(opened.subject) AS shown
CROSS JOIN LATERAL show_charge(opened.due) AS asked
