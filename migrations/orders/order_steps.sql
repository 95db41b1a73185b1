-- The steps of an order. Each function runs under the lock of the order's row.

-- Writes a notice to the customer of an order, with the order's price or the given amount.
DROP FUNCTION IF EXISTS tell(customer_order, text);
CREATE OR REPLACE FUNCTION tell(it customer_order, what text, cents bigint DEFAULT NULL) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events.outbox (kind, aggregate, payload)
    SELECT 'notify', 'order:' || it.id, jsonb_build_object(
        'user_id', it.customer,
        'template', 'order_' || what,
        'params', jsonb_build_object(
            'order_id', it.id, 'number', it.number, 'shop', shop.name, 'amount_cents', coalesce(cents, it.amount),
            'currency', 'BRL'
        )
    )
    FROM shop WHERE shop.id = it.shop_id;
END
$$;

-- The order is paid: the kitchen sees it from now on.
CREATE OR REPLACE FUNCTION begin_kitchen(the_order bigint, the_actor uuid) RETURNS customer_order
LANGUAGE plpgsql AS $$
DECLARE
    o customer_order;
BEGIN
    UPDATE customer_order SET status = 'paid', payment_status = 'approved', paid_at = now(), updated_at = now()
    WHERE id = the_order
    RETURNING * INTO o;
    INSERT INTO tracking (order_id, status, actor) VALUES (o.id, o.status, the_actor);
    RETURN o;
END
$$;

-- Records a refund that is owed to the customer of an order, from the payment of the order. A cashier pays cash back by hand.
CREATE OR REPLACE FUNCTION owe(the_order bigint, the_amount bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF the_amount > 0 THEN
        INSERT INTO refund (order_id, charge_id, amount, status)
        SELECT the_order, id, the_amount, CASE WHEN kind = 'counter' THEN 'done' ELSE 'owed' END
        FROM charge
        WHERE order_id = the_order AND status = 'paid'
            -- A second payment, as after the counter took the money, is left out: it already has a refund of its own.
            AND NOT EXISTS (SELECT FROM refund WHERE charge_id = charge.id AND refund.amount = charge.amount)
        ORDER BY created_at
        LIMIT 1;
        UPDATE customer_order SET refunded = refunded + the_amount WHERE id = the_order;
    END IF;
END
$$;

-- Ends an order before it was handed out. Unprepared pieces go back into the stock, except refunded ones: their refund
-- decided that. The customer gets back the amount paid, and the sweep calls off a payment that is still open.
CREATE OR REPLACE FUNCTION end_order(it customer_order, as_status text, the_actor uuid, is_answer boolean)
RETURNS customer_order
LANGUAGE plpgsql AS $$
DECLARE
    o customer_order;
    was_paid boolean := it.paid_at IS NOT NULL;
BEGIN
    IF it.status IN ('created', 'requested', 'paid') THEN
        PERFORM take_stock(it.id, 1, the_actor);
    END IF;
    UPDATE coupon SET used = used - 1 WHERE id = it.coupon_id;
    IF was_paid THEN
        PERFORM owe(it.id, it.amount - it.refunded);
    END IF;
    UPDATE charge SET due_at = now() WHERE order_id = it.id AND status IN ('opening', 'open');
    UPDATE customer_order SET
        status = as_status,
        payment_status = CASE WHEN was_paid THEN 'refunded' ELSE payment_status END,
        tell_ready_at = NULL,
        updated_at = now()
    WHERE id = it.id
    RETURNING * INTO o;
    INSERT INTO tracking (order_id, status, actor) VALUES (o.id, o.status, the_actor);
    IF NOT is_answer THEN
        PERFORM tell(o, CASE WHEN was_paid THEN 'refunded' ELSE 'cancelled' END, it.amount - it.refunded);
    END IF;
    RETURN o;
END
$$;

-- The ledger or the provider has moved a charge.
CREATE OR REPLACE FUNCTION charge_paid(the_charge uuid, the_actor uuid) RETURNS TABLE (outcome text, subject customer_order)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    c charge;
    o customer_order;
BEGIN
    SELECT * INTO c FROM charge WHERE id = the_charge;
    SELECT * INTO o FROM customer_order WHERE id = c.order_id FOR UPDATE;
    UPDATE charge SET status = 'paid', payment_link = NULL, qr_code = NULL
    WHERE id = the_charge AND status IN ('opening', 'open', 'void')
    RETURNING * INTO c;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'settled', o;
        RETURN;
    END IF;
    IF o.status IN ('created', 'requested') THEN
        o := begin_kitchen(o.id, the_actor);
        RETURN QUERY SELECT 'paid', o;
        RETURN;
    END IF;
    -- The order was called off, or paid otherwise, while this money was on its way.
    INSERT INTO refund (order_id, charge_id, amount, due_at) VALUES (o.id, c.id, c.amount, now());
    PERFORM tell(o, 'paid_late', c.amount);
    RETURN QUERY SELECT 'paid', o;
END
$$;

-- A charge will never be paid: an order that waits for it is called off.
CREATE OR REPLACE FUNCTION charge_void(the_charge uuid, is_answer boolean) RETURNS TABLE (outcome text, subject customer_order)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    c charge;
    o customer_order;
BEGIN
    SELECT * INTO c FROM charge WHERE id = the_charge;
    SELECT * INTO o FROM customer_order WHERE id = c.order_id FOR UPDATE;
    UPDATE charge SET status = 'void', payment_link = NULL, qr_code = NULL
    WHERE id = the_charge AND status IN ('opening', 'open');
    IF FOUND AND o.status IN ('created', 'requested') THEN
        o := end_order(o, 'cancelled', NULL, is_answer);
        IF is_answer THEN
            UPDATE customer_order SET request = NULL WHERE id = o.id;
        END IF;
    END IF;
    RETURN QUERY SELECT 'settled', o;
END
$$;

-- The provider has a payment, or could not be asked yet.
CREATE OR REPLACE FUNCTION charge_open(the_charge uuid, as_status text, to_link text, to_code text)
RETURNS TABLE (outcome text, subject customer_order)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    o customer_order;
BEGIN
    SELECT customer_order.* INTO o FROM customer_order
    JOIN charge ON charge.order_id = customer_order.id
    WHERE charge.id = the_charge FOR UPDATE OF customer_order;
    UPDATE charge SET
        status = 'open', payment_link = coalesce(to_link, payment_link), qr_code = coalesce(to_code, qr_code),
        -- Events tell of every change. This time is for an event that became a dead letter.
        due_at = least(now() + interval '2 minutes', greatest(o.expires_at, now() + interval '10 seconds'))
    WHERE id = the_charge AND status IN ('opening', 'open');
    IF FOUND AND o.status IN ('created', 'requested') THEN
        UPDATE customer_order SET payment_status = as_status WHERE id = o.id RETURNING * INTO o;
    END IF;
    RETURN QUERY SELECT 'settled', o;
END
$$;

-- The provider has sent the rest of an order's money back, because an admin of payments or the payer decided so.
CREATE OR REPLACE FUNCTION charge_refunded(the_charge uuid) RETURNS TABLE (outcome text, subject customer_order)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    c charge;
    o customer_order;
    rest bigint;
    is_beside boolean;
    is_late boolean;
BEGIN
    SELECT * INTO c FROM charge WHERE id = the_charge;
    SELECT * INTO o FROM customer_order WHERE id = c.order_id FOR UPDATE;
    SELECT * INTO c FROM charge WHERE id = the_charge;
    -- The counter took the money, so this payment is not the one that paid the order.
    is_beside := EXISTS (
        SELECT FROM charge WHERE order_id = o.id AND id <> the_charge AND kind = 'counter' AND status = 'paid'
    );
    -- The payment and its return were both unknown here until now.
    is_late := c.status <> 'paid' AND (is_beside OR o.status IN ('cancelled', 'rejected', 'refunded'));
    UPDATE charge SET status = 'paid', payment_link = NULL, qr_code = NULL WHERE id = the_charge AND status <> 'paid';
    SELECT c.amount - coalesce(sum(amount), 0) INTO rest FROM refund WHERE charge_id = the_charge;
    IF rest > 0 THEN
        IF is_beside THEN
            NULL;
        ELSIF o.paid_at IS NOT NULL AND o.status IN ('paid', 'preparing', 'ready_for_pickup', 'out_for_delivery') THEN
            o := end_order(o, 'refunded', NULL, false);
        ELSIF o.status IN ('created', 'requested') THEN
            o := end_order(o, 'cancelled', NULL, false);
        ELSIF o.status = 'delivered' THEN
            PERFORM owe(o.id, o.amount - o.refunded);
            UPDATE customer_order SET payment_status = 'refunded' WHERE id = o.id RETURNING * INTO o;
        END IF;
        SELECT c.amount - coalesce(sum(amount), 0) INTO rest FROM refund WHERE charge_id = the_charge;
        INSERT INTO refund (order_id, charge_id, amount, status)
        SELECT o.id, c.id, rest, 'done' WHERE rest > 0;
    END IF;
    UPDATE refund SET status = 'done' WHERE charge_id = the_charge;
    IF is_late THEN
        PERFORM tell(o, 'paid_late', c.amount);
    END IF;
    RETURN QUERY SELECT 'settled', o;
END
$$;

-- The ledger or the provider has paid a refund. Answers whether it was owed.
CREATE OR REPLACE FUNCTION finish_refund(the_refund uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
BEGIN
    UPDATE refund SET status = 'done' WHERE id = the_refund AND status = 'owed';
    RETURN FOUND;
END
$$;

-- Whether the caller may see an order: its customer, the user who placed it, staff of its shop, admins.
CREATE OR REPLACE FUNCTION is_seen(it customer_order, the_caller uuid, is_admin boolean) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN is_admin OR the_caller IN (it.customer, it.placed_by) OR may(it.shop_id, the_caller, false, 'see_orders');
END
$$;

-- Moves an order a step forward or back. An order that is called off after it was paid is refunded. A cashier may also take
-- the money for an order that was to be paid through the provider: a later payment there goes back.
DROP FUNCTION IF EXISTS move_order(bigint, text, uuid, boolean);
CREATE OR REPLACE FUNCTION move_order(
    the_order bigint, wanted text, the_caller uuid, is_admin boolean, at_counter boolean DEFAULT false
)
RETURNS TABLE (outcome text, subject customer_order)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    o customer_order;
    it step;
    c charge;
    refusal text;
BEGIN
    SELECT * INTO o FROM customer_order WHERE id = the_order FOR UPDATE;
    IF NOT FOUND OR NOT is_seen(o, the_caller, is_admin) THEN
        RETURN QUERY SELECT 'unknown_order', NULL::customer_order;
        RETURN;
    END IF;
    IF at_counter AND o.paid_at IS NOT NULL AND o.payment_method <> 'counter' THEN
        RETURN QUERY SELECT 'already_paid', NULL::customer_order;
        RETURN;
    ELSIF wanted = o.status OR (at_counter AND o.paid_at IS NOT NULL) THEN
        RETURN QUERY SELECT 'moved', o;
        RETURN;
    ELSE
        SELECT * INTO it FROM step WHERE step.before = o.status AND step.after = wanted;
        IF it IS NULL AND wanted = 'cancelled' THEN
            SELECT * INTO it FROM step WHERE step.before = o.status AND step.after = 'refunded';
        END IF;
    END IF;
    refusal := CASE
        WHEN it IS NULL THEN 'no_such_step'
        -- Only the provider or the ledger says that such an order is paid.
        WHEN it.after = 'paid' AND NOT it.is_back AND o.payment_method <> 'counter'
            AND NOT (at_counter AND o.payment_method = 'provider') THEN 'paid_elsewhere'
        WHEN NOT may(o.shop_id, the_caller, is_admin, it.act)
            AND NOT (it.is_customers AND the_caller IN (o.customer, o.placed_by)) THEN 'forbidden'
        WHEN it.is_back AND o.updated_at < now() - interval '1 minute' THEN 'too_late'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::customer_order;
        RETURN;
    END IF;
    IF it.after IN ('cancelled', 'rejected', 'refunded') THEN
        RETURN QUERY SELECT 'moved', end_order(o, it.after, the_caller, the_caller = o.customer);
        RETURN;
    END IF;
    IF it.after = 'paid' AND NOT it.is_back THEN
        UPDATE charge SET due_at = now() WHERE order_id = o.id AND status IN ('opening', 'open');
        INSERT INTO charge (order_id, kind, amount, status) VALUES (o.id, 'counter', o.amount, 'paid');
        UPDATE customer_order SET payment_method = 'counter' WHERE id = o.id;
        RETURN QUERY SELECT 'moved', begin_kitchen(o.id, the_caller);
        RETURN;
    END IF;
    UPDATE customer_order SET
        status = it.after,
        updated_at = now(),
        ready_at = CASE
            WHEN it.after IN ('ready_for_pickup', 'out_for_delivery') AND NOT it.is_back THEN now()
            WHEN it.after IN ('preparing', 'paid') THEN NULL
            ELSE ready_at
        END,
        delivered_at = CASE WHEN it.after = 'delivered' THEN now() END,
        -- A step back within the minute cancels the notice.
        tell_ready_at = CASE WHEN it.after = 'ready_for_pickup' THEN now() + interval '1 minute' END
    WHERE id = o.id
    RETURNING * INTO o;
    INSERT INTO tracking (order_id, status, actor) VALUES (o.id, o.status, the_caller);
    RETURN QUERY SELECT 'moved', o;
END
$$;

-- Refunds the price of items, less their part of the discount. `wanted` is [{"item_id", "quantity", "restock"}]: restocked
-- pieces can be sold again. Without `restock`, pieces are restocked when they were not prepared yet.
DROP FUNCTION IF EXISTS refund_items(bigint, uuid, boolean, jsonb);
CREATE OR REPLACE FUNCTION refund_items(
    the_order bigint, the_caller uuid, is_admin boolean, wanted jsonb, the_request uuid DEFAULT NULL
)
RETURNS TABLE (outcome text, subject customer_order)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    o customer_order;
    refusal text;
    back bigint;
    is_all boolean;
    restocked jsonb;
BEGIN
    SELECT * INTO o FROM customer_order WHERE id = the_order FOR UPDATE;
    IF NOT FOUND OR NOT is_seen(o, the_caller, is_admin) THEN
        RETURN QUERY SELECT 'unknown_order', NULL::customer_order;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM given_back WHERE request = the_request AND order_id = o.id) THEN
        RETURN QUERY SELECT 'moved', o;
        RETURN;
    END IF;
    refusal := CASE
        WHEN NOT may(o.shop_id, the_caller, is_admin, 'refund') THEN 'forbidden'
        WHEN o.paid_at IS NULL OR o.status IN ('cancelled', 'rejected', 'refunded') THEN 'nothing_to_refund'
        WHEN EXISTS (
            SELECT FROM jsonb_to_recordset(wanted) AS w (item_id bigint, quantity int)
            LEFT JOIN item ON item.id = w.item_id AND item.order_id = o.id
            GROUP BY w.item_id, item.id, item.quantity, item.refunded
            HAVING item.id IS NULL OR sum(w.quantity) > item.quantity - item.refunded
        ) THEN 'nothing_to_refund'
    END;
    IF refusal IS NOT NULL THEN
        RETURN QUERY SELECT refusal, NULL::customer_order;
        RETURN;
    END IF;
    SELECT jsonb_object_agg(w.item_id, w.quantity) INTO restocked
    FROM (
        SELECT item_id, sum(quantity) AS quantity
        FROM jsonb_to_recordset(wanted) AS w (item_id bigint, quantity int, restock boolean)
        WHERE coalesce(restock, o.status = 'paid')
        GROUP BY item_id
    ) AS w;
    IF restocked IS NOT NULL THEN
        PERFORM take_stock(o.id, 1, the_caller, restocked);
    END IF;
    UPDATE item SET refunded = item.refunded + w.quantity
    FROM (
        SELECT item_id, sum(quantity)::int AS quantity
        FROM jsonb_to_recordset(wanted) AS w (item_id bigint, quantity int)
        GROUP BY item_id
    ) AS w
    WHERE item.id = w.item_id;
    -- Computed from all refunded pieces so far, so that rounding never adds up to more than was paid.
    SELECT sum(price * item.refunded), bool_and(item.refunded = item.quantity) INTO back, is_all
    FROM item WHERE order_id = o.id;
    back := CASE
        WHEN is_all THEN o.subtotal - o.discount
        WHEN o.subtotal = 0 THEN 0
        ELSE (back::numeric * (o.subtotal - o.discount) / o.subtotal)::bigint
    END;
    PERFORM owe(o.id, least(back, o.amount) - o.refunded);
    INSERT INTO given_back (request, order_id) SELECT the_request, o.id WHERE the_request IS NOT NULL;
    UPDATE customer_order SET updated_at = updated_at WHERE id = o.id RETURNING * INTO o;
    RETURN QUERY SELECT 'moved', o;
END
$$;

-- Cancels orders that were not paid in time. An order with a payment at the provider stays until the sweep of charges has
-- asked the provider.
CREATE OR REPLACE FUNCTION expire_orders(at_most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    o customer_order;
    due bigint[];
    expired bigint := 0;
BEGIN
    due := ARRAY(
        SELECT id FROM customer_order
        WHERE status IN ('created', 'requested') AND expires_at <= now()
            AND NOT EXISTS (
                SELECT FROM charge WHERE order_id = customer_order.id AND charge.status IN ('opening', 'open')
            )
        ORDER BY expires_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    );
    PERFORM lock_stocks(due);
    FOR o IN SELECT * FROM customer_order WHERE id = ANY (due) ORDER BY id LOOP
        PERFORM end_order(o, 'cancelled', NULL, false);
        expired := expired + 1;
    END LOOP;
    RETURN expired;
END
$$;

-- Tells customers that their order is ready, unless a step back came meanwhile.
CREATE OR REPLACE FUNCTION tell_ready(at_most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    o customer_order;
    told bigint := 0;
BEGIN
    FOR o IN
        SELECT * FROM customer_order
        WHERE tell_ready_at <= now()
        ORDER BY tell_ready_at
        LIMIT at_most
        FOR UPDATE SKIP LOCKED
    LOOP
        UPDATE customer_order SET tell_ready_at = NULL WHERE id = o.id;
        PERFORM tell(o, 'ready');
        told := told + 1;
    END LOOP;
    RETURN told;
END
$$;

-- Erases a person: removes their roles in shops, cancels their unpaid orders, and reduces their other orders to the data
-- that the books need.
CREATE OR REPLACE FUNCTION forget(the_user uuid, at_most int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = orders, pg_temp AS $$
DECLARE
    o customer_order;
    theirs bigint[];
    done bigint := 0;
BEGIN
    DELETE FROM staff WHERE user_id = the_user;
    UPDATE shop SET owner = NULL WHERE owner = the_user;
    theirs := ARRAY(
        SELECT id FROM customer_order
        WHERE customer = the_user AND customer_name <> 'erased'
        ORDER BY id
        LIMIT at_most
        FOR UPDATE
    );
    PERFORM lock_stocks(ARRAY(
        SELECT id FROM customer_order WHERE id = ANY (theirs) AND status IN ('created', 'requested')
    ));
    FOR o IN SELECT * FROM customer_order WHERE id = ANY (theirs) ORDER BY id LOOP
        IF o.status IN ('created', 'requested') THEN
            PERFORM end_order(o, 'cancelled', NULL, true);
        END IF;
        UPDATE customer_order SET customer_name = 'erased', email = NULL WHERE id = o.id;
        UPDATE item SET comment = NULL WHERE order_id = o.id;
        done := done + 1;
    END LOOP;
    RETURN done;
END
$$;

-- They decide nothing: functions that decide call them.
REVOKE EXECUTE ON FUNCTION begin_kitchen, owe, end_order FROM PUBLIC, wharf_orders;
