-- $1 id
SELECT shown.*
FROM totem
CROSS JOIN LATERAL show_totem(totem) AS shown
WHERE totem.id = $1
