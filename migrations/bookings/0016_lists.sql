-- Lists of bookings filter by status and show the newest first: of all bookings, of a driver and of a place. The newest booking of
-- a driver counts whether it was deleted or not.
CREATE INDEX booking_by_status ON booking (status, id) WHERE deleted_at IS NULL;
DROP INDEX booking_by_place;
CREATE INDEX booking_by_place ON booking (place_id, status, id) WHERE deleted_at IS NULL;
DROP INDEX booking_by_driver;
CREATE INDEX booking_by_driver ON booking (driver, status, id);
