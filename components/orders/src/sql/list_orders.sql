-- $1 caller, $2 caller is admin, $3 order, $4 the client's name for the customer, $5 status, $6 shop, $7 limit,
-- $8 offset. Each way to an order has an index of its own, so that a list reads as many rows as it can show.
WITH works_in AS (
    SELECT DISTINCT staff.shop_id AS id FROM staff JOIN permission USING (role)
    WHERE user_id = $1 AND act = 'see_orders' AND ($6::bigint IS NULL OR staff.shop_id = $6)
    UNION
    -- For admins, who see all shops: the named shop, or with a status each shop, because few orders may have that status.
    SELECT id FROM shop WHERE $2::boolean AND (id = $6 OR ($6 IS NULL AND $5::text IS NOT NULL))
), found AS (
    (
        SELECT o.id FROM customer_order o
        WHERE o.customer = $1
            AND ($3::bigint IS NULL OR o.id = $3) AND ($4::text IS NULL OR o.customer_name = $4)
            AND ($5::text IS NULL OR o.status = $5) AND ($6::bigint IS NULL OR o.shop_id = $6)
        ORDER BY o.id DESC
        LIMIT $7::bigint + $8::bigint
    )
    UNION
    (
        SELECT o.id FROM customer_order o
        WHERE o.placed_by = $1
            AND ($3::bigint IS NULL OR o.id = $3) AND ($4::text IS NULL OR o.customer_name = $4)
            AND ($5::text IS NULL OR o.status = $5) AND ($6::bigint IS NULL OR o.shop_id = $6)
        ORDER BY o.id DESC
        LIMIT $7::bigint + $8::bigint
    )
    UNION
    SELECT newest.id
    FROM works_in
    CROSS JOIN unnest(CASE WHEN $5::text IS NULL THEN ARRAY[
        'created', 'requested', 'paid', 'preparing', 'ready_for_pickup', 'out_for_delivery', 'delivered',
        'cancelled', 'refunded', 'rejected'
    ] ELSE ARRAY[$5::text] END) AS wanted (status)
    CROSS JOIN LATERAL (
        SELECT o.id FROM customer_order o
        -- By a range, so that the order of the index is that of the list: with = the planner may read all orders by their ids.
        WHERE o.shop_id = works_in.id AND o.status BETWEEN wanted.status AND wanted.status
        ORDER BY o.status DESC, o.id DESC
        LIMIT $7::bigint + $8::bigint
    ) AS newest
    WHERE $3::bigint IS NULL AND $4::text IS NULL
    UNION
    (
        SELECT o.id FROM customer_order o
        WHERE $2::boolean AND $3::bigint IS NULL AND $4::text IS NULL AND $5::text IS NULL AND $6::bigint IS NULL
        ORDER BY o.id DESC
        LIMIT $7::bigint + $8::bigint
    )
    UNION
    (
        SELECT o.id FROM customer_order o
        WHERE o.customer_name = $4 AND ($2::boolean OR o.shop_id IN (SELECT id FROM works_in))
            AND ($3::bigint IS NULL OR o.id = $3) AND ($4::text IS NULL OR o.customer_name = $4)
            AND ($5::text IS NULL OR o.status = $5) AND ($6::bigint IS NULL OR o.shop_id = $6)
        ORDER BY o.id DESC
        LIMIT $7::bigint + $8::bigint
    )
    UNION
    SELECT o.id FROM customer_order o
    WHERE o.id = $3 AND ($2::boolean OR o.shop_id IN (SELECT id FROM works_in))
        AND ($3::bigint IS NULL OR o.id = $3) AND ($4::text IS NULL OR o.customer_name = $4)
            AND ($5::text IS NULL OR o.status = $5) AND ($6::bigint IS NULL OR o.shop_id = $6)
)
SELECT shown.*
FROM (SELECT id FROM found ORDER BY id DESC LIMIT $7::bigint OFFSET $8::bigint) AS page
JOIN customer_order ON customer_order.id = page.id
CROSS JOIN LATERAL show_order(customer_order) AS shown
ORDER BY shown.id DESC
