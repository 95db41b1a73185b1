-- The menu of a shop. Locks are taken in one order everywhere: the menu of the shop, orders, products, choices, coupons;
-- rows of a kind by their ids. A parameter that is NULL leaves its field as it is.

-- Locks the menu of a shop for a change. Orders share the lock, see place_order().
CREATE OR REPLACE FUNCTION hold_menu(the_shop bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('menu', the_shop));
END
$$;

CREATE OR REPLACE FUNCTION share_menu(the_shop bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('menu', the_shop));
END
$$;

-- Locks these products, the orders of them that are not prepared yet, and every row that ending these orders changes. The
-- caller holds the menu, so no order is placed meanwhile.
CREATE OR REPLACE FUNCTION lock_unprepared(the_shop bigint, products bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    unprepared bigint[];
BEGIN
    unprepared := ARRAY(
        SELECT id FROM customer_order o
        WHERE shop_id = the_shop AND status IN ('created', 'requested', 'paid')
            AND EXISTS (SELECT FROM item i WHERE i.order_id = o.id AND i.product_id = ANY (products))
        ORDER BY id
        FOR UPDATE
    );
    PERFORM lock_stocks(unprepared, products);
END
$$;

-- Locks these products and every row that ending these orders changes. The orders are locked already.
CREATE OR REPLACE FUNCTION lock_stocks(orders bigint[], products bigint[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- By arrays of ids: with OR in place of UNION all products and choices are read.
    PERFORM FROM product
    WHERE id = ANY (products || ARRAY(SELECT product_id FROM item WHERE order_id = ANY (orders)))
    ORDER BY id
    FOR NO KEY UPDATE;
    PERFORM FROM choice
    WHERE id = ANY (ARRAY(
        SELECT id FROM choice WHERE product_id = ANY (products) AND deleted_at IS NULL
        UNION
        SELECT (chosen ->> 'id')::bigint
        FROM item CROSS JOIN LATERAL jsonb_array_elements(choices) AS chosen
        WHERE order_id = ANY (orders)
    ))
    ORDER BY id
    FOR NO KEY UPDATE;
    PERFORM FROM coupon
    WHERE id IN (SELECT coupon_id FROM customer_order WHERE customer_order.id = ANY (orders))
    ORDER BY id
    FOR NO KEY UPDATE;
END
$$;

CREATE OR REPLACE FUNCTION create_category(
    the_shop bigint, the_caller uuid, is_admin boolean, new_name text, is_enabled boolean
) RETURNS TABLE (outcome text, subject category)
LANGUAGE plpgsql AS $$
DECLARE
    c category;
BEGIN
    IF NOT EXISTS (SELECT FROM shop WHERE id = the_shop) THEN
        RETURN QUERY SELECT 'unknown_shop', NULL::category;
        RETURN;
    END IF;
    IF NOT may(the_shop, the_caller, is_admin, 'edit_menu') THEN
        RETURN QUERY SELECT 'forbidden', NULL::category;
        RETURN;
    END IF;
    INSERT INTO category (shop_id, name, enabled) VALUES (the_shop, new_name, is_enabled) RETURNING * INTO c;
    RETURN QUERY SELECT 'created', c;
END
$$;

-- Drops the photos of deleted products: the sweep deletes their bytes.
CREATE OR REPLACE FUNCTION drop_photos(products bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE photo SET dropped_at = now() WHERE product_id = ANY (products) AND dropped_at IS NULL;
    UPDATE product SET photos = '{}', photo = NULL WHERE id = ANY (products) AND photos <> '{}';
END
$$;

-- A category that is deleted takes its products with it.
CREATE OR REPLACE FUNCTION change_category(
    the_category bigint, the_caller uuid, is_admin boolean, new_name text, is_enabled boolean, is_deleted boolean
) RETURNS TABLE (outcome text, subject category)
LANGUAGE plpgsql AS $$
DECLARE
    c category;
BEGIN
    SELECT * INTO c FROM category WHERE id = the_category AND deleted_at IS NULL;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_category', NULL::category;
        RETURN;
    END IF;
    IF NOT may(c.shop_id, the_caller, is_admin, 'edit_menu') THEN
        RETURN QUERY SELECT 'forbidden', NULL::category;
        RETURN;
    END IF;
    PERFORM hold_menu(c.shop_id);
    SELECT * INTO c FROM category WHERE id = the_category AND deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_category', NULL::category;
        RETURN;
    END IF;
    IF is_deleted THEN
        PERFORM FROM product WHERE category_id = the_category AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE;
    END IF;
    UPDATE category SET
        name = coalesce(new_name, category.name),
        enabled = coalesce(is_enabled, category.enabled),
        deleted_at = CASE WHEN is_deleted THEN now() END
    WHERE id = the_category
    RETURNING * INTO c;
    IF is_deleted THEN
        PERFORM drop_photos(ARRAY(SELECT id FROM product WHERE category_id = the_category AND deleted_at IS NULL));
        UPDATE product SET deleted_at = now() WHERE category_id = the_category AND deleted_at IS NULL;
    END IF;
    RETURN QUERY SELECT 'changed', c;
END
$$;

-- Replaces the choices that a product comes with. Groups and choices are known by their names, so that a choice
-- keeps its id and its stock is recorded as a movement.
CREATE OR REPLACE FUNCTION set_options(the_product bigint, the_caller uuid, options jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM choice WHERE product_id = the_product ORDER BY id FOR NO KEY UPDATE;
    UPDATE choice_group SET deleted_at = now()
    WHERE product_id = the_product AND deleted_at IS NULL
        AND lower(name) NOT IN (SELECT lower(o.name) FROM jsonb_to_recordset(options) AS o (name text));
    INSERT INTO choice_group (product_id, name, at_least, at_most)
    SELECT the_product, o.name, o.at_least, o.at_most
    FROM jsonb_to_recordset(options) AS o (name text, at_least int, at_most int)
    ON CONFLICT (product_id, lower(name)) WHERE deleted_at IS NULL
    DO UPDATE SET name = excluded.name, at_least = excluded.at_least, at_most = excluded.at_most;
    WITH wanted AS MATERIALIZED (
        SELECT g.id AS group_id, c.name, c.price, c.stock
        FROM jsonb_to_recordset(options) AS o (name text, choices jsonb)
        JOIN choice_group g ON g.product_id = the_product AND g.deleted_at IS NULL AND lower(g.name) = lower(o.name)
        CROSS JOIN LATERAL jsonb_to_recordset(o.choices) AS c (name text, price bigint, stock int)
    ), gone AS (
        UPDATE choice SET deleted_at = now()
        WHERE product_id = the_product AND deleted_at IS NULL
            AND NOT EXISTS (
                SELECT FROM wanted WHERE wanted.group_id = choice.group_id AND lower(wanted.name) = lower(choice.name)
            )
    ), before AS (
        SELECT choice.* FROM choice WHERE product_id = the_product AND deleted_at IS NULL
    ), kept AS (
        INSERT INTO choice (group_id, product_id, name, price, stock)
        SELECT group_id, the_product, name, price, stock FROM wanted
        ON CONFLICT (group_id, lower(name)) WHERE deleted_at IS NULL
        DO UPDATE SET name = excluded.name, price = excluded.price, stock = excluded.stock
        RETURNING *
    )
    INSERT INTO movement (product_id, choice_id, change, stock, reason, actor)
    SELECT the_product, kept.id, coalesce(kept.stock, 0) - coalesce(before.stock, 0), kept.stock, 'count', the_caller
    FROM kept
    LEFT JOIN before ON before.id = kept.id
    WHERE kept.stock IS DISTINCT FROM before.stock;
END
$$;

CREATE OR REPLACE FUNCTION create_product(
    the_caller uuid, is_admin boolean, the_category bigint, new_name text, new_price bigint, is_enabled boolean,
    new_description text, new_allergens text[], new_station text, new_hours jsonb, new_stock int, options jsonb
) RETURNS TABLE (outcome text, subject product)
LANGUAGE plpgsql AS $$
DECLARE
    c category;
    p product;
BEGIN
    -- Locked, so that it is not deleted meanwhile.
    SELECT * INTO c FROM category WHERE id = the_category AND deleted_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_category', NULL::product;
        RETURN;
    END IF;
    IF NOT may(c.shop_id, the_caller, is_admin, 'edit_menu') THEN
        RETURN QUERY SELECT 'forbidden', NULL::product;
        RETURN;
    END IF;
    INSERT INTO product (shop_id, category_id, name, price, enabled, description, allergens, station, hours, stock)
    VALUES (c.shop_id, c.id, new_name, new_price, is_enabled, new_description, new_allergens, new_station,
        new_hours, new_stock)
    RETURNING * INTO p;
    INSERT INTO movement (product_id, change, stock, reason, actor)
    SELECT p.id, new_stock, new_stock, 'count', the_caller
    WHERE new_stock IS NOT NULL;
    PERFORM set_options(p.id, the_caller, options);
    RETURN QUERY SELECT 'created', p;
END
$$;

CREATE OR REPLACE FUNCTION change_product(
    the_product bigint, the_caller uuid, is_admin boolean, the_category bigint, new_name text, new_price bigint,
    is_enabled boolean, new_description text, new_allergens text[], new_station text, new_hours jsonb, options jsonb,
    is_deleted boolean
) RETURNS TABLE (outcome text, subject product)
LANGUAGE plpgsql AS $$
DECLARE
    p product;
BEGIN
    SELECT * INTO p FROM product WHERE id = the_product AND deleted_at IS NULL;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_product', NULL::product;
        RETURN;
    END IF;
    IF NOT may(p.shop_id, the_caller, is_admin, 'edit_menu') THEN
        RETURN QUERY SELECT 'forbidden', NULL::product;
        RETURN;
    END IF;
    PERFORM hold_menu(p.shop_id);
    SELECT * INTO p FROM product WHERE id = the_product AND deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_product', NULL::product;
        RETURN;
    END IF;
    PERFORM FROM category c WHERE c.id = the_category AND c.shop_id = p.shop_id AND c.deleted_at IS NULL FOR SHARE;
    IF the_category IS NOT NULL AND NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_category', NULL::product;
        RETURN;
    END IF;
    UPDATE product SET
        category_id = coalesce(the_category, category_id),
        name = coalesce(new_name, name),
        price = coalesce(new_price, price),
        enabled = coalesce(is_enabled, enabled),
        description = coalesce(new_description, description),
        allergens = coalesce(new_allergens, allergens),
        station = coalesce(new_station, station),
        hours = coalesce(new_hours, hours),
        deleted_at = CASE WHEN is_deleted THEN now() END
    WHERE id = the_product
    RETURNING * INTO p;
    IF is_deleted THEN
        PERFORM drop_photos(ARRAY[the_product]);
    END IF;
    IF options IS NOT NULL THEN
        PERFORM set_options(p.id, the_caller, options);
    END IF;
    RETURN QUERY SELECT 'changed', p;
END
$$;

-- Sets a stock to a count, or adds a delivery. A count includes the pieces that unprepared orders have reserved. When fewer
-- are there than these orders need, the newest orders are rejected until there are enough.
CREATE OR REPLACE FUNCTION move_stock(
    the_product bigint, the_choice bigint, the_caller uuid, is_admin boolean, the_reason text, the_number int
) RETURNS TABLE (outcome text, subject product)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    p product;
    before int;
    free bigint;
    short customer_order;
BEGIN
    SELECT * INTO p FROM product WHERE id = the_product AND deleted_at IS NULL;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_product', NULL::product;
        RETURN;
    END IF;
    IF NOT may(p.shop_id, the_caller, is_admin, 'count_stock') THEN
        RETURN QUERY SELECT 'forbidden', NULL::product;
        RETURN;
    END IF;
    PERFORM hold_menu(p.shop_id);
    PERFORM lock_unprepared(p.shop_id, ARRAY[the_product]);
    SELECT * INTO p FROM product WHERE id = the_product AND deleted_at IS NULL;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'unknown_product', NULL::product;
        RETURN;
    END IF;
    before := p.stock;
    IF the_choice IS NOT NULL THEN
        SELECT stock INTO before FROM choice
        WHERE id = the_choice AND product_id = the_product AND deleted_at IS NULL FOR NO KEY UPDATE;
        IF NOT FOUND THEN
            RETURN QUERY SELECT 'unknown_choice', NULL::product;
            RETURN;
        END IF;
    END IF;
    IF the_reason = 'delivery' THEN
        free := coalesce(before, 0)::bigint + the_number;
    ELSE
        free := the_number - reserved(the_product, the_choice);
        WHILE free < 0 LOOP
            SELECT o.* INTO short
            FROM customer_order o
            JOIN item i ON i.order_id = o.id
            WHERE i.product_id = the_product AND i.quantity > i.refunded AND o.status IN ('created', 'requested', 'paid')
                AND (the_choice IS NULL OR i.choices @> jsonb_build_array(jsonb_build_object('id', the_choice)))
            ORDER BY o.id DESC
            LIMIT 1;
            EXIT WHEN short.id IS NULL;
            PERFORM end_order(short, 'rejected', the_caller, false);
            free := the_number - reserved(the_product, the_choice);
        END LOOP;
        free := greatest(free, 0);
        -- Rejected orders have given their pieces back.
        IF the_choice IS NULL THEN
            SELECT stock INTO before FROM product WHERE id = the_product;
        ELSE
            SELECT stock INTO before FROM choice WHERE id = the_choice;
        END IF;
    END IF;
    IF free > 1000000 THEN
        RETURN QUERY SELECT 'too_many', NULL::product;
        RETURN;
    END IF;
    IF the_choice IS NULL THEN
        UPDATE product SET stock = free WHERE id = the_product RETURNING * INTO p;
    ELSE
        UPDATE choice SET stock = free WHERE id = the_choice;
    END IF;
    INSERT INTO movement (product_id, choice_id, change, stock, reason, actor)
    VALUES (the_product, the_choice, free - coalesce(before, 0), free, the_reason, the_caller);
    RETURN QUERY SELECT 'moved', p;
END
$$;

-- The pieces of a stock that unprepared orders have taken, without refunded ones.
CREATE OR REPLACE FUNCTION reserved(the_product bigint, the_choice bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT coalesce(sum(i.quantity - i.refunded), 0)
        FROM item i
        JOIN customer_order o ON o.id = i.order_id
        WHERE i.product_id = the_product AND o.status IN ('created', 'requested', 'paid')
            AND (the_choice IS NULL OR i.choices @> jsonb_build_array(jsonb_build_object('id', the_choice)))
    );
END
$$;

-- Changes a menu by a file, all of it or nothing. Products and categories are matched by their names. Others stay as they
-- are.
CREATE OR REPLACE FUNCTION import_menu(the_shop bigint, the_caller uuid, is_admin boolean, wanted jsonb)
RETURNS TABLE (outcome text, created bigint, changed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    it record;
    the_category bigint;
    the_product bigint;
    is_counted boolean;
BEGIN
    created := 0;
    changed := 0;
    outcome := CASE
        WHEN NOT EXISTS (SELECT FROM shop WHERE id = the_shop) THEN 'unknown_shop'
        WHEN NOT may(the_shop, the_caller, is_admin, 'edit_menu') THEN 'forbidden'
        ELSE 'changed'
    END;
    IF outcome <> 'changed' THEN
        RETURN NEXT;
        RETURN;
    END IF;
    PERFORM hold_menu(the_shop);
    PERFORM lock_unprepared(the_shop, ARRAY(SELECT id FROM product WHERE shop_id = the_shop AND deleted_at IS NULL));
    FOR it IN
        SELECT *
        FROM jsonb_to_recordset(wanted) AS w (
            category text, name text, price bigint, description text, allergens jsonb, station text,
            enabled boolean, stock int, hours jsonb, options jsonb
        )
    LOOP
        INSERT INTO category (shop_id, name) VALUES (the_shop, it.category)
        ON CONFLICT (shop_id, lower(name)) WHERE deleted_at IS NULL DO UPDATE SET name = category.name
        RETURNING id INTO the_category;
        SELECT id, stock IS NOT DISTINCT FROM it.stock INTO the_product, is_counted
        FROM product
        WHERE shop_id = the_shop AND lower(name) = lower(it.name) AND deleted_at IS NULL;
        IF FOUND THEN
            PERFORM change_product(the_product, the_caller, is_admin, the_category, it.name, it.price, it.enabled,
                it.description, texts(it.allergens), it.station, nullif(it.hours, 'null'), nullif(it.options, 'null'),
                false);
            IF it.stock IS NOT NULL AND NOT is_counted THEN
                PERFORM move_stock(the_product, NULL, the_caller, is_admin, 'count',
                    (it.stock + reserved(the_product, NULL))::int);
            END IF;
            changed := changed + 1;
        ELSE
            PERFORM create_product(the_caller, is_admin, the_category, it.name, it.price, coalesce(it.enabled, true),
                coalesce(it.description, ''), coalesce(texts(it.allergens), '{}'), coalesce(it.station, 'kitchen'),
                coalesce(nullif(it.hours, 'null'), '[]'), it.stock, coalesce(nullif(it.options, 'null'), '[]'));
            created := created + 1;
        END IF;
    END LOOP;
    RETURN NEXT;
END
$$;

CREATE OR REPLACE FUNCTION texts(list jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN jsonb_typeof(list) = 'array' THEN ARRAY(SELECT jsonb_array_elements_text(list)) END;
END
$$;
