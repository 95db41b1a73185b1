-- $1 product, $2 category, $3 shop, $4 part of the name, $5 caller, $6 caller is admin, $7 whether to include those that are not offered,
-- $8 limit, $9 offset
SELECT found.*, options_of(found.id) AS options
FROM (
    SELECT product.id, product.shop_id, product.category_id, category.name AS category, product.name, description,
        allergens, price, product.enabled, station, hours, stock, photo, photos,
        product.enabled AND category.enabled AND stock IS DISTINCT FROM 0
            AND (hours = '[]' OR is_served(hours, shop.time_zone, now())) AS available
    FROM product
    JOIN category ON category.id = product.category_id
    JOIN shop ON shop.id = product.shop_id
    WHERE product.deleted_at IS NULL
        AND ($1::bigint IS NULL OR product.id = $1)
        AND ($2::bigint IS NULL OR product.category_id = $2)
        AND ($3::bigint IS NULL OR product.shop_id = $3)
        AND ($4::text IS NULL OR strpos(lower(product.name), lower($4)) > 0)
        AND ((product.enabled AND category.enabled) OR ($7::boolean AND may(product.shop_id, $5, $6, 'edit_menu')))
    ORDER BY product.id
    LIMIT $8::bigint OFFSET $9::bigint
) AS found
ORDER BY found.id
