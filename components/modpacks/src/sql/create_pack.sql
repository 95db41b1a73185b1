-- $1 request, $2 owner, $3 name, $4 description, $5 authors, $6 visibility
WITH made AS (
    INSERT INTO pack (request, owner, name, description, authors, visibility)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (request) DO NOTHING
    RETURNING pack
), found AS (
    SELECT pack AS it FROM made
    UNION ALL
    SELECT pack FROM pack WHERE request = $1
)
SELECT shown.* FROM found CROSS JOIN LATERAL show_pack(it) AS shown
