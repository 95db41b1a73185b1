-- $1 order
-- The payment at the provider that is not settled yet.
SELECT id
FROM charge
WHERE order_id = $1 AND kind = 'provider' AND status = 'open'
