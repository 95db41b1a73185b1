-- $1 product, $2 photo. One that its product shows.
SELECT shown.*
FROM photo AS it
JOIN product ON product.id = it.product_id
CROSS JOIN LATERAL show_photo(it) AS shown
WHERE it.id = $2 AND it.product_id = $1 AND it.sha256 IS NOT NULL AND it.dropped_at IS NULL
    AND product.deleted_at IS NULL
