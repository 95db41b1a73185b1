-- A search by a part of a name over all shops reads the products that have it, not the whole menu of every shop. The operator class is
-- that of bookings, which made the extension. New names go into the index at once: each search would read a list of pending ones.
CREATE INDEX product_by_name ON product USING gin (lower(name) bookings.gin_trgm_ops) WITH (fastupdate = off)
WHERE deleted_at IS NULL;
