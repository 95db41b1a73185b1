-- Takes an order: prices it, reserves its stock, gives it a number. `wanted` is
-- [{"product_id", "quantity", "comment", "choices": [id]}]. A refusal that concerns one thing names it.
DROP FUNCTION IF EXISTS place_order(
    uuid, bigint, uuid, boolean, uuid, text, text, text, jsonb, bigint, text, int
);
CREATE OR REPLACE FUNCTION place_order(
    the_request uuid, the_shop bigint, the_caller uuid, is_admin boolean, the_customer uuid, shown_customer text,
    the_email text, the_method text, wanted jsonb, the_tip bigint, coupon_code text, seconds_to_pay int,
    expected_amount bigint DEFAULT NULL
) RETURNS TABLE (outcome text, named text, subject customer_order, charge_id uuid, payee uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    s shop;
    o customer_order;
    the_coupon coupon;
    the_charge uuid;
    refusal text;
    thing text;
    the_subtotal bigint;
    the_discount bigint := 0;
    total bigint;
    today date;
    the_number int;
BEGIN
    -- Copies of a request queue here.
    PERFORM pg_advisory_xact_lock(hashtextextended(the_request::text, 0));
    SELECT * INTO o FROM customer_order WHERE request = the_request;
    IF FOUND THEN
        SELECT owner INTO s.owner FROM shop WHERE id = o.shop_id;
        SELECT id INTO the_charge FROM charge WHERE order_id = o.id AND status = 'opening';
        RETURN QUERY SELECT 'placed', NULL::text, o, the_charge, s.owner;
        RETURN;
    END IF;
    SELECT * INTO s FROM shop WHERE id = the_shop;
    refusal := CASE
        WHEN s.id IS NULL THEN 'unknown_shop'
        WHEN the_customer <> the_caller AND NOT may(the_shop, the_caller, is_admin, 'order_for_others')
            THEN 'forbidden'
        WHEN the_method = 'wallet' AND the_customer <> the_caller THEN 'not_their_wallet'
        WHEN the_method = 'wallet' AND s.owner IS NULL THEN 'no_wallet_here'
        WHEN the_method = 'wallet' AND s.owner = the_customer THEN 'own_shop'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::text, NULL::customer_order, NULL::uuid, NULL::uuid;
        RETURN;
    END IF;

    PERFORM share_menu(the_shop);
    -- Orders of counted products queue here, in the order of ids, so that no deadlock occurs; the reads below see what
    -- earlier orders left.
    PERFORM FROM product
    WHERE id IN (SELECT product_id FROM jsonb_to_recordset(wanted) AS w (product_id bigint)) AND stock IS NOT NULL
    ORDER BY id
    FOR NO KEY UPDATE;
    PERFORM FROM choice
    WHERE id IN (
            SELECT picked::bigint
            FROM jsonb_to_recordset(wanted) AS w (choices jsonb)
            CROSS JOIN LATERAL jsonb_array_elements_text(w.choices) AS picked
        )
        AND stock IS NOT NULL
    ORDER BY id
    FOR NO KEY UPDATE;

    WITH line AS (
        SELECT w.position, w.product_id, w.quantity, coalesce(p.name, w.product_id::text) AS name,
            CASE
                WHEN p.id IS NULL OR p.deleted_at IS NOT NULL OR p.shop_id <> the_shop THEN 'unknown_product'
                WHEN NOT p.enabled OR NOT c.enabled OR c.deleted_at IS NOT NULL THEN 'not_offered'
                WHEN NOT is_served(p.hours, s.time_zone, now()) THEN 'not_served_now'
                WHEN p.stock < sum(w.quantity) OVER (PARTITION BY w.product_id) THEN 'sold_out'
            END AS fault
        FROM ROWS FROM (
            jsonb_to_recordset(wanted) AS (product_id bigint, quantity int, choices jsonb)
        ) WITH ORDINALITY AS w (product_id, quantity, choices, position)
        LEFT JOIN product p ON p.id = w.product_id
        LEFT JOIN category c ON c.id = p.category_id
    ), picked AS (
        SELECT w.position, w.product_id, w.quantity, picked::bigint AS choice_id
        FROM ROWS FROM (
            jsonb_to_recordset(wanted) AS (product_id bigint, quantity int, choices jsonb)
        ) WITH ORDINALITY AS w (product_id, quantity, choices, position)
        CROSS JOIN LATERAL jsonb_array_elements_text(w.choices) AS picked
    ), chosen AS (
        SELECT picked.position, coalesce(c.name, picked.choice_id::text) AS name,
            CASE
                WHEN c.id IS NULL OR c.product_id <> picked.product_id OR c.deleted_at IS NOT NULL
                    THEN 'unknown_choice'
                WHEN c.stock < sum(picked.quantity) OVER (PARTITION BY picked.choice_id) THEN 'sold_out'
            END AS fault
        FROM picked
        LEFT JOIN choice c ON c.id = picked.choice_id
    ), asked AS (
        SELECT line.position, g.name, CASE
            WHEN (
                SELECT count(*) FROM picked JOIN choice c ON c.id = picked.choice_id
                WHERE picked.position = line.position AND c.group_id = g.id
            ) NOT BETWEEN g.at_least AND g.at_most THEN 'wrong_choices'
        END AS fault
        FROM line
        JOIN choice_group g ON g.product_id = line.product_id AND g.deleted_at IS NULL
    )
    SELECT fault, name INTO refusal, thing
    FROM (
        SELECT position, 1 AS kind, fault, name FROM line
        UNION ALL
        SELECT position, 2, fault, name FROM chosen
        UNION ALL
        SELECT position, 3, fault, name FROM asked
    ) AS faulty
    WHERE fault IS NOT NULL
    ORDER BY position, kind
    LIMIT 1;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, thing, NULL::customer_order, NULL::uuid, NULL::uuid;
        RETURN;
    END IF;

    SELECT sum(w.quantity * (p.price + coalesce(extra.price, 0))) INTO the_subtotal
    FROM jsonb_to_recordset(wanted) AS w (product_id bigint, quantity int, choices jsonb)
    JOIN product p ON p.id = w.product_id
    CROSS JOIN LATERAL (
        SELECT sum(c.price) AS price
        FROM jsonb_array_elements_text(w.choices) AS picked
        JOIN choice c ON c.id = picked::bigint
    ) AS extra;
    IF coupon_code IS NOT NULL THEN
        SELECT * INTO the_coupon FROM coupon
        WHERE shop_id = the_shop AND code = upper(coupon_code) AND deleted_at IS NULL FOR NO KEY UPDATE;
        refusal := CASE
            WHEN the_coupon.id IS NULL OR the_coupon.valid_until <= now() THEN 'unknown_coupon'
            WHEN the_coupon.used >= the_coupon.max_uses THEN 'coupon_used_up'
            WHEN the_subtotal < the_coupon.min_amount THEN 'coupon_needs_more'
        END;
        the_discount := CASE
            WHEN the_coupon.percent IS NOT NULL THEN the_subtotal * the_coupon.percent / 100
            ELSE least(the_coupon.amount, the_subtotal)
        END;
    END IF;
    total := the_subtotal - the_discount + the_tip;
    IF refusal IS NULL AND total > 1000000000000 THEN
        refusal := 'too_expensive';
    END IF;
    IF refusal IS NULL AND total <> expected_amount THEN
        refusal := 'price_changed';
    END IF;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::text, NULL::customer_order, NULL::uuid, NULL::uuid;
        RETURN;
    END IF;
    UPDATE coupon SET used = used + 1 WHERE id = the_coupon.id;

    today := now() AT TIME ZONE s.time_zone;
    INSERT INTO last_number AS l (shop_id, day, number) VALUES (the_shop, today, 1)
    ON CONFLICT (shop_id, day) DO UPDATE SET number = l.number + 1
    RETURNING number INTO the_number;
    INSERT INTO customer_order (
        request, shop_id, day, number, customer, customer_name, placed_by, email, payment_method, coupon_id,
        subtotal, discount, tip, amount, expires_at
    )
    VALUES (
        the_request, the_shop, today, the_number, the_customer, shown_customer, the_caller, the_email, the_method,
        the_coupon.id, the_subtotal, the_discount, the_tip, total, now() + seconds_to_pay * interval '1 second'
    )
    RETURNING * INTO o;
    INSERT INTO item (order_id, product_id, name, price, quantity, station, comment, choices)
    SELECT o.id, p.id, p.name, p.price + extra.price, w.quantity, p.station, w.comment, extra.chosen
    FROM ROWS FROM (
        jsonb_to_recordset(wanted) AS (product_id bigint, quantity int, comment text, choices jsonb)
    ) WITH ORDINALITY AS w (product_id, quantity, comment, choices, position)
    JOIN product p ON p.id = w.product_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(c.price), 0) AS price,
            coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'price', c.price) ORDER BY c.id), '[]')
                AS chosen
        FROM jsonb_array_elements_text(w.choices) AS picked
        JOIN choice c ON c.id = picked::bigint
    ) AS extra
    ORDER BY w.position;
    PERFORM take_stock(o.id, -1, the_caller);
    INSERT INTO tracking (order_id, status, actor) VALUES (o.id, o.status, the_caller);
    IF total = 0 THEN
        o := begin_kitchen(o.id, NULL);
    ELSIF the_method <> 'counter' THEN
        INSERT INTO charge (order_id, kind, amount) VALUES (o.id, the_method, total) RETURNING id INTO the_charge;
    END IF;
    RETURN QUERY SELECT 'placed', NULL::text, o, the_charge, s.owner;
END
$$;

-- Takes the pieces of an order out of the counted stocks (-1), or puts them back (1), with a movement for each. `pieces` is
-- {item: quantity}; without it, all pieces that were not refunded.
DROP FUNCTION IF EXISTS take_stock(bigint, int, uuid);
CREATE OR REPLACE FUNCTION take_stock(the_order bigint, sign int, the_actor uuid, pieces jsonb DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    why text := CASE WHEN sign < 0 THEN 'order' ELSE 'release' END;
BEGIN
    -- place_order() has locked the stocks that it takes from.
    IF sign > 0 THEN
        PERFORM lock_stocks(ARRAY[the_order]);
    END IF;
    WITH needed AS (
        SELECT product_id, sum(pieces_of(item, pieces))::int AS quantity FROM item WHERE order_id = the_order
        GROUP BY product_id
    ), moved AS (
        UPDATE product SET stock = stock + sign * needed.quantity
        FROM needed
        WHERE product.id = needed.product_id AND product.stock IS NOT NULL AND needed.quantity > 0
        RETURNING product.id, needed.quantity, product.stock
    )
    INSERT INTO movement (product_id, change, stock, reason, order_id, actor)
    SELECT id, sign * quantity, stock, why, the_order, the_actor FROM moved;
    WITH needed AS (
        SELECT (chosen ->> 'id')::bigint AS choice_id, sum(pieces_of(item, pieces))::int AS quantity
        FROM item
        CROSS JOIN LATERAL jsonb_array_elements(choices) AS chosen
        WHERE order_id = the_order
        GROUP BY 1
    ), moved AS (
        UPDATE choice SET stock = stock + sign * needed.quantity
        FROM needed
        WHERE choice.id = needed.choice_id AND choice.stock IS NOT NULL AND needed.quantity > 0
        RETURNING choice.product_id, choice.id, needed.quantity, choice.stock
    )
    INSERT INTO movement (product_id, choice_id, change, stock, reason, order_id, actor)
    SELECT product_id, id, sign * quantity, stock, why, the_order, the_actor FROM moved;
END
$$;

-- How many pieces of an item `pieces` names; without it, all that were not refunded.
CREATE OR REPLACE FUNCTION pieces_of(it item, pieces jsonb) RETURNS int
LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN pieces IS NULL THEN it.quantity - it.refunded
    ELSE coalesce((pieces ->> it.id::text)::int, 0)
END;
