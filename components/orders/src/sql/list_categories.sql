-- $1 category, $2 shop, $3 caller, $4 caller is admin, $5 whether to include those that are not offered, $6 limit, $7 offset
SELECT id, name, enabled, shop_id
FROM category
WHERE deleted_at IS NULL
    AND ($1::bigint IS NULL OR id = $1)
    AND ($2::bigint IS NULL OR shop_id = $2)
    AND (enabled OR ($5::boolean AND may(shop_id, $3, $4, 'edit_menu')))
ORDER BY id
LIMIT $6::bigint OFFSET $7::bigint
