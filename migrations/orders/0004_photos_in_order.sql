-- A product shows several photos, in an order of its own. `photo` stays for copies that show one.

ALTER TABLE product ADD COLUMN photos text[] NOT NULL DEFAULT '{}'
    CONSTRAINT product_photos_fit CHECK (cardinality(photos) <= 10);

UPDATE product SET photos = ARRAY[photo] WHERE photo IS NOT NULL;

DROP INDEX photo_one_shown;

-- What deleted products showed until now is not shown any more either.
UPDATE photo SET dropped_at = now()
FROM product
WHERE product.id = photo.product_id AND product.deleted_at IS NOT NULL AND photo.dropped_at IS NULL;
