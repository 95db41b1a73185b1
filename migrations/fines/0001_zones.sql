-- Parking zones, the people who run them, cars, and the kiosks that stand in zones.

-- Creations and changes of shapes queue on its one row: a zone is compared with the others before it is written.
CREATE TABLE zone_guard (only_one boolean PRIMARY KEY DEFAULT true CONSTRAINT zone_guard_is_one CHECK (only_one));
INSERT INTO zone_guard DEFAULT VALUES;
CREATE SEQUENCE zone_revision;

CREATE TABLE zone (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The client's request: a copy of it finds the zone that the first one made.
    request uuid NOT NULL CONSTRAINT zone_once_per_request UNIQUE,
    -- Drawn anew with every change, under the guard: a decision that was made on an older one is stale.
    revision bigint NOT NULL DEFAULT nextval('zone_revision'),
    name text NOT NULL,
    available boolean NOT NULL,
    -- GeoJSON, a MultiPolygon in WGS 84.
    shape text NOT NULL,
    west double precision NOT NULL,
    south double precision NOT NULL,
    east double precision NOT NULL,
    north double precision NOT NULL,
    metadata jsonb,
    price_offset numeric NOT NULL CONSTRAINT zone_offset_in_bounds CHECK (price_offset BETWEEN 0 AND 1000000),
    price_lin numeric NOT NULL CONSTRAINT zone_rate_in_bounds CHECK (price_lin BETWEEN 0 AND 1000000),
    price_exp numeric NOT NULL CONSTRAINT zone_exponent_in_bounds CHECK (price_exp BETWEEN 0 AND 10),
    currency text NOT NULL CONSTRAINT zone_currency_known CHECK (currency IN ('USD', 'EUR', 'BRL')),
    -- What else applies there: time zone, free minutes, rates, grace, the schedule of fines.
    rules jsonb NOT NULL,
    -- The user whose wallet receives what is paid.
    payee uuid NOT NULL,
    created_by uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Tickets and fines refer to a zone for ever, so it is hidden rather than deleted.
    removed_at timestamptz,
    CONSTRAINT zone_box_is_one CHECK (west <= east AND south <= north)
);

CREATE UNIQUE INDEX zone_name_taken ON zone (lower(name)) WHERE removed_at IS NULL;
CREATE INDEX zone_by_box ON zone USING gist (box(point(west, south), point(east, north))) WHERE removed_at IS NULL;

CREATE TABLE zone_role (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    zone_id bigint NOT NULL REFERENCES zone (id),
    user_id uuid NOT NULL,
    username text NOT NULL,
    role text NOT NULL CONSTRAINT zone_role_known CHECK (role IN ('admin', 'controller')),
    assigned_at timestamptz NOT NULL DEFAULT now(),
    assigned_by text NOT NULL,
    CONSTRAINT zone_role_once UNIQUE (zone_id, user_id)
);

CREATE INDEX zone_role_by_user ON zone_role (user_id, zone_id);

-- A plate that is known. Plates of the shared guest, and those that were only ever fined, have no owner.
CREATE TABLE car (
    plate text PRIMARY KEY CONSTRAINT car_plate_is_normal CHECK (plate ~ '^[0-9A-Z]{2,12}$'),
    -- As it was written.
    shown text NOT NULL,
    brand text,
    model text,
    owner uuid,
    is_guest boolean NOT NULL DEFAULT false,
    -- Whether it is listed; a removed one keeps its tickets and fines.
    listed boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX car_by_owner ON car (owner, plate) WHERE owner IS NOT NULL;
CREATE INDEX car_listed ON car (plate) WHERE listed;

CREATE TABLE totem (
    -- Its MAC address, or another name of the device.
    id text CONSTRAINT totem_registered_once PRIMARY KEY,
    zone_id bigint NOT NULL REFERENCES zone (id),
    latitude double precision NOT NULL CONSTRAINT totem_latitude CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CONSTRAINT totem_longitude CHECK (longitude BETWEEN -180 AND 180),
    registered_by uuid NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX totem_by_zone ON totem (zone_id);
