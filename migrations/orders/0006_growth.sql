-- The coupons of a shop in the order of their list.
CREATE INDEX coupon_by_shop ON coupon (shop_id, id) WHERE deleted_at IS NULL;
