-- What was kept of canceled bookings of a car counts when it leaves late; the functions find them by this index.
DROP INDEX booking_by_plate;
CREATE INDEX booking_by_plate ON booking (plate, date_to)
    WHERE plate IS NOT NULL AND (status = 'Confirmed' OR kept_cost > 0);
