-- $1 west, $2 south, $3 east, $4 north, $5 zone to leave out
SELECT id, revision, shape AS geometry
FROM zone
WHERE removed_at IS NULL AND id IS DISTINCT FROM $5::bigint
    AND box(point(west, south), point(east, north)) && box(point($1::float8, $2::float8), point($3::float8, $4::float8))
