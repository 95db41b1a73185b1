-- $1 code, $2 title, $3 amount, $4 currency
INSERT INTO violation (code, title, amount, currency)
VALUES ($1, $2, $3, $4)
ON CONFLICT (code) DO UPDATE SET title = $2, amount = $3, currency = $4, updated_at = now(), removed_at = NULL
RETURNING code, title, amount, currency
