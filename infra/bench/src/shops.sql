-- Shops with a menu, money to order for, and a kitchen that is full. Users and owners are those of the other scenarios.
SET search_path = orders;
INSERT INTO shop (name, owner)
SELECT 'Bench ' || n, ('00000000-0000-4000-8000-' || lpad(to_hex(64 + n), 12, '0'))::uuid FROM generate_series(0, 63) AS n;
INSERT INTO category (shop_id, name) SELECT id, 'Sides' FROM shop WHERE name LIKE 'Bench %';
INSERT INTO product (shop_id, category_id, name, description, price, stock)
SELECT shop_id, id, 'Dish ' || n, 'Crisp and golden', 1050, CASE WHEN n % 2 = 0 THEN 1000000 END
FROM category CROSS JOIN generate_series(1, 10) AS n WHERE name = 'Sides';
INSERT INTO choice_group (product_id, name, at_least, at_most)
SELECT id, 'Size', 0, 1 FROM product WHERE name LIKE 'Dish %';
INSERT INTO choice (group_id, product_id, name, price)
SELECT id, product_id, size, 100 FROM choice_group CROSS JOIN unnest('{Small,Large}'::text[]) AS size;

-- Ten thousand open orders of two items in the first of them.
WITH filled AS (
    INSERT INTO customer_order (shop_id, day, number, customer, customer_name, placed_by, status, payment_method,
        subtotal, discount, tip, amount, expires_at, paid_at)
    SELECT (SELECT id FROM shop WHERE name = 'Bench 0'), current_date - 1, n, gen_random_uuid(), 'full house',
        gen_random_uuid(), CASE WHEN n % 3 = 0 THEN 'preparing' ELSE 'paid' END, 'counter', 0, 0, 0, 0, now(), now()
    FROM generate_series(1, 10000) AS n
    RETURNING id, shop_id
)
INSERT INTO item (order_id, product_id, name, price, quantity, station)
SELECT filled.id, product.id, product.name, 0, 1, 'kitchen'
FROM filled JOIN product USING (shop_id)
WHERE product.name IN ('Dish 1', 'Dish 2');
ANALYZE;

SET search_path = payments;
SELECT book(gen_random_uuid(), 'deposit', house_account('external', 'BRL'),
    main_account(('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'BRL'), 100000000000, 'BRL', 'bench',
    'bench')
FROM generate_series(0, 63) AS n;
