-- The car of a booking, for those who check cars.
ALTER TABLE booking
    -- As plates are compared, and as it was written.
    ADD plate text CONSTRAINT booking_plate_is_normal CHECK (plate ~ '^[0-9A-Z]{2,12}$'),
    ADD shown_plate text,
    ADD CONSTRAINT booking_plate_is_whole CHECK ((plate IS NULL) = (shown_plate IS NULL));

CREATE INDEX booking_by_plate ON booking (plate, date_to) WHERE plate IS NOT NULL AND status = 'Confirmed';
-- Places of a part of the map.
CREATE INDEX place_by_point ON place USING gist (point(longitude, latitude)) WHERE latitude IS NOT NULL;
