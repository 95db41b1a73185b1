-- $1 caller, $2 caller is admin, $3 order, $4 the client's name for the customer, $5 status, $6 shop, $7 limit,
-- $8 offset
SELECT shown.*
FROM (
    SELECT customer_order
    FROM customer_order
    WHERE ($3::bigint IS NULL OR id = $3)
        AND ($4::text IS NULL OR customer_name = $4)
        AND ($5::text IS NULL OR status = $5)
        AND ($6::bigint IS NULL OR shop_id = $6)
        AND ($2::boolean
            OR customer = $1
            OR placed_by = $1
            OR shop_id IN (
                SELECT staff.shop_id FROM staff JOIN permission USING (role)
                WHERE user_id = $1 AND act = 'see_orders'
            ))
    ORDER BY id DESC
    LIMIT $7::bigint OFFSET $8::bigint
) AS found
CROSS JOIN LATERAL show_order(found.customer_order) AS shown
ORDER BY shown.id DESC
