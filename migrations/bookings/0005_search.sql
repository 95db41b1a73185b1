-- What a search of a million places needs, so that a page of it reads no more than a bounded number of rows.
-- The extensions come with PostgreSQL, and the owner of a database may create them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS cube;
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- A point on the unit sphere. The chord between two points grows with their distance on the ground, so that an
-- index can answer the nearest first, also across a pole and the date line.
CREATE FUNCTION on_sphere(latitude float8, longitude float8) RETURNS cube
LANGUAGE sql IMMUTABLE STRICT
RETURN cube(ARRAY[
    cosd(latitude) * cosd(longitude), cosd(latitude) * sind(longitude), sind(latitude)
]);

ALTER TABLE place
    ADD located cube GENERATED ALWAYS AS (on_sphere(latitude, longitude)) STORED,
    ADD searched_name text GENERATED ALWAYS AS (lower(name)) STORED;

CREATE INDEX place_nearest ON place USING gist (on_sphere(latitude, longitude)) WHERE deleted_at IS NULL;
CREATE INDEX place_nearest_in_city ON place USING gist (city, located) WHERE deleted_at IS NULL;
CREATE INDEX place_by_name ON place USING gin (searched_name gin_trgm_ops) WHERE deleted_at IS NULL;
CREATE INDEX place_by_type ON place (parking_type, id) WHERE deleted_at IS NULL;
CREATE INDEX place_offered ON place (id) WHERE deleted_at IS NULL;
