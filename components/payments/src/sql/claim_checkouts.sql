-- $1 limit, $2 whether those that are settled and only watched
SELECT card.* FROM claim_visits($1, $2) AS card
