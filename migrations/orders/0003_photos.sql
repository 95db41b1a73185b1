-- Photos of products. Their bytes are in S3; `product.photo` is the path of the one that is shown.

CREATE TABLE photo (
    id uuid PRIMARY KEY,
    product_id bigint NOT NULL REFERENCES product (id),
    author uuid NOT NULL,
    size bigint NOT NULL CONSTRAINT photo_size_in_bounds CHECK (size BETWEEN 1 AND 10485760),
    media_type text NOT NULL
        CONSTRAINT photo_type_known CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    -- Of S3, until the photo is complete.
    upload text,
    sha256 text CONSTRAINT photo_digest_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    added_at timestamptz NOT NULL DEFAULT now(),
    -- It is not shown any more, or was given up: its bytes are deleted soon.
    dropped_at timestamptz
);

CREATE UNIQUE INDEX photo_one_shown ON photo (product_id) WHERE sha256 IS NOT NULL AND dropped_at IS NULL;
CREATE INDEX photo_by_product ON photo (product_id);
CREATE INDEX photo_incomplete ON photo (added_at) WHERE sha256 IS NULL AND dropped_at IS NULL;
CREATE INDEX photo_dropped ON photo (dropped_at) WHERE dropped_at IS NOT NULL;

-- A count of a stock looks at the orders that are not prepared yet.
CREATE INDEX order_unprepared ON customer_order (shop_id, id) WHERE status IN ('created', 'requested', 'paid');

-- Lists of orders: those of a shop by their status, those of a customer by the client's name for them.
CREATE INDEX order_by_status ON customer_order (shop_id, status, id);
CREATE INDEX order_by_name ON customer_order (customer_name, id);
