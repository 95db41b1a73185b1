-- $1 id at the PSP, $2 checkout
SELECT verdict, state FROM psp_payment WHERE id = $1 AND checkout = $2
