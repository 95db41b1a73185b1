-- $1 id, $2 owner, $3 secret
WITH mine AS (
    SELECT * FROM webhook_card WHERE id = $1 AND owner = $2
), over AS (
    DELETE FROM webhook_key USING mine WHERE webhook = mine.id AND until < now()
), replaced AS (
    UPDATE webhook_key SET until = now() + interval '1 day' FROM mine WHERE webhook = mine.id AND until IS NULL
), made AS (
    INSERT INTO webhook_key (webhook, secret) SELECT id, $3 FROM mine
)
SELECT * FROM mine
