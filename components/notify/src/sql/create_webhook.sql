-- $1 id, $2 owner, $3 url, $4 secret, $5 templates, $6 how many webhooks an owner may have
SELECT * FROM make_webhook($1, $2, $3, $4, $5, $6)
