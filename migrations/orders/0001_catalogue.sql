-- Where people order, who works there, and what can be ordered.

CREATE TABLE shop (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL CONSTRAINT shop_name_fits CHECK (length(name) BETWEEN 1 AND 100),
    -- The user whose wallet receives what is paid by wallet. Without one no order is paid that way.
    owner uuid,
    -- Its days, and the hours at which products are served. An unknown zone is an error of PostgreSQL.
    time_zone text NOT NULL DEFAULT 'America/Sao_Paulo'
        CONSTRAINT shop_time_zone CHECK ((timestamptz '2026-01-01 00:00:00+00' AT TIME ZONE time_zone) IS NOT NULL),
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Clients of the replaced system know one shop and never name it: this one.
INSERT INTO shop (name) VALUES ('Lanchonete');

CREATE TABLE staff (
    shop_id bigint NOT NULL REFERENCES shop (id),
    user_id uuid NOT NULL,
    role text NOT NULL
        CONSTRAINT staff_role_known CHECK (role IN ('kiosk', 'kitchen', 'counter', 'manager')),
    assigned_by uuid NOT NULL,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shop_id, user_id, role)
);

CREATE INDEX staff_by_user ON staff (user_id);

-- What each role may do. Admins may do everything everywhere; what customers may do with their own orders
-- stands in `step`.
CREATE TABLE permission (
    role text NOT NULL,
    act text NOT NULL,
    PRIMARY KEY (role, act)
);

INSERT INTO permission (act, role)
SELECT act, unnest(roles)
FROM (VALUES
    ('order_for_others', ARRAY['kiosk', 'counter', 'manager']),
    ('see_orders', ARRAY['kitchen', 'counter', 'manager']),
    ('confirm_payment', ARRAY['counter', 'manager']),
    ('cancel', ARRAY['counter', 'manager']),
    ('reject', ARRAY['kitchen', 'manager']),
    ('prepare', ARRAY['kitchen', 'manager']),
    ('hand_out', ARRAY['kitchen', 'counter', 'manager']),
    ('refund', ARRAY['manager']),
    ('edit_menu', ARRAY['manager']),
    ('see_stock', ARRAY['kitchen', 'counter', 'manager']),
    ('count_stock', ARRAY['kitchen', 'manager']),
    ('edit_coupons', ARRAY['manager']),
    ('assign_staff', ARRAY['manager']),
    ('see_figures', ARRAY['manager'])
) AS rule (act, roles);

REVOKE INSERT, UPDATE, DELETE ON permission FROM wharf_orders;

CREATE TABLE category (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id bigint NOT NULL REFERENCES shop (id),
    name text NOT NULL CONSTRAINT category_name_fits CHECK (length(name) BETWEEN 1 AND 100),
    enabled boolean NOT NULL DEFAULT true,
    -- Products refer to it for ever, so it is hidden rather than deleted.
    deleted_at timestamptz
);

CREATE UNIQUE INDEX category_name_once ON category (shop_id, lower(name)) WHERE deleted_at IS NULL;

CREATE TABLE product (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id bigint NOT NULL REFERENCES shop (id),
    category_id bigint NOT NULL REFERENCES category (id),
    name text NOT NULL CONSTRAINT product_name_fits CHECK (length(name) BETWEEN 1 AND 200),
    description text NOT NULL DEFAULT '' CONSTRAINT product_description_fits CHECK (length(description) <= 2000),
    allergens text[] NOT NULL DEFAULT '{}' CONSTRAINT product_allergens_fit CHECK (cardinality(allergens) <= 30),
    -- Minor units of BRL.
    price bigint NOT NULL CONSTRAINT product_price_in_bounds CHECK (price BETWEEN 0 AND 100000000),
    enabled boolean NOT NULL DEFAULT true,
    -- Where it is prepared.
    station text NOT NULL DEFAULT 'kitchen' CONSTRAINT product_station_known CHECK (station IN ('kitchen', 'bar')),
    -- When it is served, as [{"days": [1, 7], "from": "06:00", "to": "11:00"}], by the shop's clock; empty: always.
    hours jsonb NOT NULL DEFAULT '[]',
    -- What is left to order; without a number it is not counted.
    stock int CONSTRAINT product_stock_not_negative CHECK (stock >= 0),
    photo text,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Orders refer to it for ever, so it is hidden rather than deleted.
    deleted_at timestamptz
);

CREATE INDEX product_by_category ON product (category_id, id) WHERE deleted_at IS NULL;
CREATE INDEX product_by_shop ON product (shop_id, id) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX product_name_once ON product (shop_id, lower(name)) WHERE deleted_at IS NULL;

-- A question that comes with a product: its size, what goes on top.
CREATE TABLE choice_group (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES product (id),
    name text NOT NULL CONSTRAINT choice_group_name_fits CHECK (length(name) BETWEEN 1 AND 100),
    at_least int NOT NULL,
    at_most int NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT choice_group_bounds CHECK (0 <= at_least AND at_least <= at_most AND 1 <= at_most AND at_most <= 50)
);

CREATE UNIQUE INDEX choice_group_once ON choice_group (product_id, lower(name)) WHERE deleted_at IS NULL;

CREATE TABLE choice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_id bigint NOT NULL REFERENCES choice_group (id),
    product_id bigint NOT NULL REFERENCES product (id),
    name text NOT NULL CONSTRAINT choice_name_fits CHECK (length(name) BETWEEN 1 AND 100),
    -- Comes on top of the product's price.
    price bigint NOT NULL CONSTRAINT choice_price_in_bounds CHECK (price BETWEEN 0 AND 100000000),
    stock int CONSTRAINT choice_stock_not_negative CHECK (stock >= 0),
    deleted_at timestamptz
);

CREATE UNIQUE INDEX choice_once ON choice (group_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX choice_by_product ON choice (product_id) WHERE deleted_at IS NULL;

-- Every change of a stock, written by the statement that makes it.
CREATE TABLE movement (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES product (id),
    choice_id bigint REFERENCES choice (id),
    change int NOT NULL,
    -- The stock afterwards; none once it is counted no more.
    stock int,
    reason text NOT NULL CONSTRAINT movement_reason_known CHECK (reason IN ('order', 'release', 'delivery', 'count')),
    order_id bigint,
    actor uuid,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX movement_by_product ON movement (product_id, id);
CREATE INDEX movement_by_order ON movement (order_id) WHERE order_id IS NOT NULL;
