-- The request that offered a place: a copy of it finds the place that the first one made.
ALTER TABLE place ADD request uuid CONSTRAINT place_once_per_request UNIQUE;
