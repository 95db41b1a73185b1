-- The newest booking of a driver counts whether it was deleted or not; lists of a driver's bookings go by the same index.
DROP INDEX booking_by_driver;
CREATE INDEX booking_by_driver ON booking (driver, id);
