-- $1 totem, $2 zone
SELECT EXISTS (SELECT FROM zone WHERE id = $2 AND removed_at IS NULL) AS has_zone,
    EXISTS (SELECT FROM totem WHERE id = $1) AS is_registered
