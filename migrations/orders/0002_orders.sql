-- Orders, what became of them, and their money.

CREATE TABLE coupon (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id bigint NOT NULL REFERENCES shop (id),
    code text NOT NULL CONSTRAINT coupon_code_fits CHECK (code ~ '^[A-Z0-9_-]{3,40}$'),
    percent int CONSTRAINT coupon_percent_in_bounds CHECK (percent BETWEEN 1 AND 100),
    amount bigint CONSTRAINT coupon_amount_in_bounds CHECK (amount BETWEEN 1 AND 100000000),
    -- Items have to cost as much without it.
    min_amount bigint NOT NULL DEFAULT 0 CONSTRAINT coupon_min_in_bounds CHECK (min_amount BETWEEN 0 AND 100000000),
    max_uses int CONSTRAINT coupon_max_uses_in_bounds CHECK (max_uses > 0),
    -- Orders that have it, without those that were called off.
    used int NOT NULL DEFAULT 0,
    valid_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT coupon_one_kind CHECK ((percent IS NULL) <> (amount IS NULL)),
    CONSTRAINT coupon_used_in_bounds CHECK (used >= 0 AND used <= coalesce(max_uses, used))
);

CREATE UNIQUE INDEX coupon_code_once ON coupon (shop_id, code) WHERE deleted_at IS NULL;

-- The last pick-up number that a shop has given out on a day.
CREATE TABLE last_number (
    shop_id bigint NOT NULL REFERENCES shop (id),
    day date NOT NULL,
    number int NOT NULL,
    PRIMARY KEY (shop_id, day)
);

CREATE TABLE customer_order (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The client's request: a copy of it finds the order that the first one made. None once the payment was
    -- refused: a copy then tries anew.
    request uuid CONSTRAINT order_once_per_request UNIQUE,
    shop_id bigint NOT NULL REFERENCES shop (id),
    day date NOT NULL,
    -- What is called out when it is ready.
    number int NOT NULL,
    -- The account of the customer, and the name that the client has for it.
    customer uuid NOT NULL,
    customer_name text NOT NULL,
    placed_by uuid NOT NULL,
    email text,
    -- The secret part of the address at which the order is followed without an account.
    link uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT order_link_once UNIQUE,
    status text NOT NULL DEFAULT 'created' CONSTRAINT order_status_known CHECK (status IN (
        'created', 'requested', 'paid', 'preparing', 'ready_for_pickup', 'out_for_delivery', 'delivered',
        'cancelled', 'refunded', 'rejected')),
    payment_status text NOT NULL DEFAULT 'pending' CONSTRAINT order_payment_status_known CHECK (payment_status IN (
        'pending', 'awaiting_payment', 'payment_service_unavailable', 'in_process', 'approved', 'rejected',
        'refunded')),
    payment_method text NOT NULL
        CONSTRAINT order_payment_method_known CHECK (payment_method IN ('provider', 'wallet', 'counter')),
    coupon_id bigint REFERENCES coupon (id),
    -- Minor units of BRL.
    subtotal bigint NOT NULL,
    discount bigint NOT NULL,
    tip bigint NOT NULL CONSTRAINT order_tip_in_bounds CHECK (tip BETWEEN 0 AND 100000000),
    amount bigint NOT NULL CONSTRAINT order_amount_in_bounds CHECK (amount BETWEEN 0 AND 1000000000000),
    refunded bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Unpaid by then, it is cancelled.
    expires_at timestamptz NOT NULL,
    paid_at timestamptz,
    ready_at timestamptz,
    delivered_at timestamptz,
    -- When the customer is told that it is ready, unless it steps back before.
    tell_ready_at timestamptz,
    -- The place in the kitchen's list: what is ready, what is being prepared, what waits.
    kitchen_rank int GENERATED ALWAYS AS (
        CASE status WHEN 'ready_for_pickup' THEN 1 WHEN 'preparing' THEN 2 WHEN 'paid' THEN 3 END
    ) STORED,
    CONSTRAINT order_adds_up CHECK (amount = subtotal - discount + tip),
    CONSTRAINT order_discount_in_bounds CHECK (discount BETWEEN 0 AND subtotal),
    CONSTRAINT order_refunded_in_bounds CHECK (refunded BETWEEN 0 AND amount),
    CONSTRAINT order_number_once UNIQUE (shop_id, day, number)
);

CREATE INDEX order_by_customer ON customer_order (customer, id);
CREATE INDEX order_by_placer ON customer_order (placed_by, id);
CREATE INDEX order_by_shop ON customer_order (shop_id, id);
CREATE INDEX order_in_kitchen ON customer_order (shop_id, kitchen_rank, id) WHERE kitchen_rank IS NOT NULL;
CREATE INDEX order_to_expire ON customer_order (expires_at) WHERE status IN ('created', 'requested');
CREATE INDEX order_to_tell ON customer_order (tell_ready_at) WHERE tell_ready_at IS NOT NULL;
CREATE INDEX order_ready ON customer_order (shop_id, ready_at) WHERE ready_at IS NOT NULL;

-- What was ordered, with name and price of that moment.
CREATE TABLE item (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES customer_order (id),
    product_id bigint NOT NULL REFERENCES product (id),
    name text NOT NULL,
    -- Of one, with its choices.
    price bigint NOT NULL CONSTRAINT item_price_in_bounds CHECK (price >= 0),
    quantity int NOT NULL CONSTRAINT item_quantity_in_bounds CHECK (quantity BETWEEN 1 AND 1000),
    refunded int NOT NULL DEFAULT 0,
    station text NOT NULL,
    comment text,
    -- [{"id", "name", "price"}]
    choices jsonb NOT NULL DEFAULT '[]',
    CONSTRAINT item_refunded_in_bounds CHECK (refunded BETWEEN 0 AND quantity)
);

CREATE INDEX item_by_order ON item (order_id, id);

-- Every status an order has had.
CREATE TABLE tracking (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id bigint NOT NULL REFERENCES customer_order (id),
    status text NOT NULL,
    -- None: the platform itself.
    actor uuid,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX tracking_by_order ON tracking (order_id, id);

-- The steps an order can take. `act` is what a role has to be allowed; customers may take some with their own
-- orders. Steps back are for mistakes and end a minute after the step they undo.
CREATE TABLE step (
    before text NOT NULL,
    after text NOT NULL,
    act text NOT NULL,
    is_customers boolean NOT NULL DEFAULT false,
    is_back boolean NOT NULL DEFAULT false,
    PRIMARY KEY (before, after)
);

INSERT INTO step (before, after, act, is_customers, is_back) VALUES
    ('created', 'requested', 'confirm_payment', true, false),
    ('created', 'paid', 'confirm_payment', false, false),
    ('requested', 'paid', 'confirm_payment', false, false),
    ('created', 'cancelled', 'cancel', true, false),
    ('requested', 'cancelled', 'cancel', true, false),
    ('created', 'rejected', 'reject', false, false),
    ('requested', 'rejected', 'reject', false, false),
    ('paid', 'rejected', 'reject', false, false),
    ('paid', 'refunded', 'refund', true, false),
    ('preparing', 'refunded', 'refund', false, false),
    ('ready_for_pickup', 'refunded', 'refund', false, false),
    ('out_for_delivery', 'refunded', 'refund', false, false),
    ('paid', 'preparing', 'prepare', false, false),
    ('preparing', 'ready_for_pickup', 'prepare', false, false),
    ('preparing', 'out_for_delivery', 'hand_out', false, false),
    ('ready_for_pickup', 'delivered', 'hand_out', false, false),
    ('out_for_delivery', 'delivered', 'hand_out', false, false),
    ('preparing', 'paid', 'prepare', false, true),
    ('ready_for_pickup', 'preparing', 'prepare', false, true),
    ('out_for_delivery', 'preparing', 'hand_out', false, true),
    ('delivered', 'ready_for_pickup', 'hand_out', false, true);

REVOKE INSERT, UPDATE, DELETE ON step FROM wharf_orders;

-- What an order costs, asked of the ledger, of the provider or of a person at the counter.
CREATE TABLE charge (
    -- The ledger and the provider know the payment by this id.
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id bigint NOT NULL REFERENCES customer_order (id),
    kind text NOT NULL CONSTRAINT charge_kind_known CHECK (kind IN ('provider', 'wallet', 'counter')),
    amount bigint NOT NULL CONSTRAINT charge_is_positive CHECK (amount > 0),
    status text NOT NULL DEFAULT 'opening'
        CONSTRAINT charge_status_known CHECK (status IN ('opening', 'open', 'paid', 'void')),
    -- Where to pay, while it can be paid.
    payment_link text,
    qr_code text,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- From when on it is the sweep's. A sweep that takes it on moves this.
    due_at timestamptz DEFAULT now() + interval '10 seconds'
);

CREATE INDEX charge_by_order ON charge (order_id);
CREATE INDEX charge_unsettled ON charge (due_at) WHERE status IN ('opening', 'open');

-- What goes back, decided by the statement that made it owed.
CREATE TABLE refund (
    -- The ledger knows the refund by this id.
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id bigint NOT NULL REFERENCES customer_order (id),
    charge_id uuid NOT NULL REFERENCES charge (id),
    amount bigint NOT NULL CONSTRAINT refund_is_positive CHECK (amount > 0),
    status text NOT NULL DEFAULT 'owed'
        CONSTRAINT refund_status_known CHECK (status IN ('owed', 'done')),
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now() + interval '10 seconds'
);

CREATE INDEX refund_by_charge ON refund (charge_id);
CREATE INDEX refund_owed ON refund (due_at) WHERE status = 'owed';

CREATE INDEX item_by_product ON item (product_id, order_id);
