-- $1 name, $2 owner, $3 time zone
INSERT INTO shop (name, owner, time_zone)
VALUES ($1, $2, coalesce($3, 'America/Sao_Paulo'))
RETURNING id, name, owner, time_zone
