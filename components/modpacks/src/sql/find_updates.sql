-- $1 versions, $2 viewer, $3 roles, $4 link, $5 channel, $6 version of the game, $7 loader
SELECT v.pack_id, v.id AS version_id, l.id AS latest_id, l.name AS latest_name, (l.id = v.id) IS TRUE AS current
FROM unnest($1::bigint[]) AS asked (id)
JOIN version AS v ON v.id = asked.id
JOIN pack ON pack.id = v.pack_id
LEFT JOIN version AS l ON l.id = latest_version(pack, $5, $6, $7)
WHERE sees_version(v, level(pack, $2, $3, $4))
