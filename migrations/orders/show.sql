-- Rows as statements read them, moments in milliseconds. One row also for NULL, which functions that refuse return
-- beside their outcome. Volatile, so that they see what a function has written in the same statement.

-- Whether a product is served at that moment, by the shop's clock. A window that ends before it begins goes on after
-- midnight and belongs to the day on which it began.
CREATE OR REPLACE FUNCTION is_served(hours jsonb, zone text, at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    here timestamp;
    today int;
    yesterday int;
BEGIN
    IF hours = '[]' THEN
        RETURN true;
    END IF;
    here := at AT TIME ZONE zone;
    today := extract(isodow FROM here);
    yesterday := extract(isodow FROM here - interval '1 day');
    RETURN EXISTS (
        SELECT
        FROM jsonb_to_recordset(hours) AS served (days jsonb, "from" time, "to" time)
        WHERE CASE WHEN "from" < "to"
            THEN days @> to_jsonb(today) AND here::time >= "from" AND here::time < "to"
            ELSE (days @> to_jsonb(today) AND here::time >= "from")
                OR (days @> to_jsonb(yesterday) AND here::time < "to")
            END
    );
END
$$;

CREATE OR REPLACE FUNCTION options_of(the_product bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', g.name, 'at_least', g.at_least, 'at_most', g.at_most,
            'choices', (
                SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'id', c.id, 'name', c.name, 'price', round(c.price / 100.0, 2), 'stock', c.stock
                ) ORDER BY c.id), '[]')
                FROM choice c
                WHERE c.group_id = g.id AND c.deleted_at IS NULL
            )
        ) ORDER BY g.id), '[]')
        FROM choice_group g
        WHERE g.product_id = the_product AND g.deleted_at IS NULL
    );
END
$$;

DROP FUNCTION IF EXISTS show_product(product);
CREATE FUNCTION show_product(it product)
RETURNS TABLE (
    id bigint, shop_id bigint, category_id bigint, category text, name text, description text, allergens text[],
    price bigint, enabled boolean, station text, hours jsonb, stock int, photo text,
    photos text[], available boolean, options jsonb
)
LANGUAGE sql VOLATILE AS $$
    SELECT it.id, it.shop_id, it.category_id, c.name, it.name, it.description, it.allergens, it.price, it.enabled,
        it.station, it.hours, it.stock, it.photo, it.photos,
        it.enabled AND c.enabled AND it.stock IS DISTINCT FROM 0 AND is_served(it.hours, s.time_zone, now()),
        options_of(it.id)
    FROM (VALUES (1)) AS once
    LEFT JOIN category c ON c.id = it.category_id
    LEFT JOIN shop s ON s.id = it.shop_id
$$;

CREATE OR REPLACE FUNCTION items_of(the_order bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'id', i.id, 'product_id', i.product_id, 'name', i.name, 'price', i.price, 'quantity', i.quantity,
            'refunded', i.refunded, 'station', i.station, 'comment', i.comment, 'choices', i.choices
        ) ORDER BY i.id), '[]')
        FROM item i
        WHERE i.order_id = the_order
    );
END
$$;

-- The median of the seconds from payment to ready, over the last orders.
CREATE OR REPLACE FUNCTION seconds_to_prepare(the_shop bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM ready_at - paid_at))::bigint
        FROM (
            SELECT ready_at, paid_at
            FROM customer_order
            WHERE shop_id = the_shop AND ready_at IS NOT NULL
            ORDER BY ready_at DESC
            LIMIT 50
        ) AS lately
    );
END
$$;

DROP FUNCTION IF EXISTS show_order(customer_order);
CREATE FUNCTION show_order(it customer_order)
RETURNS TABLE (
    id bigint, shop_id bigint, number int, customer uuid, customer_id text, link uuid, status text,
    payment_status text, payment_method text, subtotal bigint, discount bigint, tip bigint, amount bigint,
    refunded bigint, payment_link text, qr_code text, created_at bigint, updated_at bigint, expires_at bigint,
    ready_by bigint, items jsonb, next_states text[]
)
LANGUAGE sql VOLATILE AS $$
    SELECT it.id, it.shop_id, it.number, it.customer, it.customer_name, it.link, it.status,
        it.payment_status, it.payment_method, it.subtotal, it.discount, it.tip, it.amount,
        it.refunded, c.payment_link, c.qr_code, millis(it.created_at), millis(it.updated_at), millis(it.expires_at),
        CASE WHEN it.status IN ('paid', 'preparing') THEN
            millis(it.paid_at + seconds_to_prepare(it.shop_id) * interval '1 second')
        END,
        items_of(it.id),
        ARRAY(SELECT s.after FROM step s WHERE s.before = it.status AND NOT s.is_back ORDER BY s.after)
    FROM (VALUES (1)) AS once
    LEFT JOIN charge c ON c.order_id = it.id AND c.status = 'open' AND it.status IN ('created', 'requested')
$$;
