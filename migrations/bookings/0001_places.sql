-- Parking places: what an owner offers, by the hour.
CREATE TABLE place (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner uuid NOT NULL,
    name text NOT NULL,
    city text NOT NULL,
    address text NOT NULL,
    parking_type text NOT NULL
        CONSTRAINT place_type_known
        CHECK (parking_type IN ('outdoor', 'covered', 'underground', 'multi-level')),
    hourly_rate bigint NOT NULL CONSTRAINT place_rate_in_bounds CHECK (hourly_rate BETWEEN 1 AND 1000000),
    capacity int NOT NULL CONSTRAINT place_capacity_in_bounds CHECK (capacity BETWEEN 1 AND 100000),
    latitude double precision CONSTRAINT place_latitude CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CONSTRAINT place_longitude CHECK (longitude BETWEEN -180 AND 180),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Bookings refer to a place for ever, so it is hidden rather than deleted.
    deleted_at timestamptz,
    CONSTRAINT place_coordinates_whole CHECK ((latitude IS NULL) = (longitude IS NULL))
);

CREATE INDEX place_by_city ON place (city, id) WHERE deleted_at IS NULL;
CREATE INDEX place_by_owner ON place (owner, id) WHERE deleted_at IS NULL;
