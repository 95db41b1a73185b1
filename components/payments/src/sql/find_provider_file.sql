-- $1 id
SELECT shown.* FROM show_provider_file($1) AS shown
