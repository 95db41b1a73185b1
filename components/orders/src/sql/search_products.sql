-- $1 part of the name, $2 caller, $3 caller is admin, $4 whether to include those that are not offered, $5 limit, $6 offset
SELECT product.id, product.shop_id, product.category_id, category.name AS category, product.name, description,
    allergens, price, product.enabled, station, hours, stock, photo, photos,
    product.enabled AND category.enabled AND stock IS DISTINCT FROM 0
        AND (hours = '[]' OR is_served(hours, shop.time_zone, now())) AS available,
    options_of(product.id) AS options
FROM search_products($1, $2, $3, $4, $5, $6) AS found
JOIN product ON product.id = found.product_id
JOIN category ON category.id = product.category_id
JOIN shop ON shop.id = product.shop_id
ORDER BY product.id
