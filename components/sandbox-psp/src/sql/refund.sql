-- $1 payment
UPDATE payment SET status = 'refunded', updated_at = now()
WHERE id = $1 AND status IN ('approved', 'refunded')
RETURNING id
