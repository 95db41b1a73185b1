-- $1 user, $2 language, $3 telegram, $4 email, $5 webhook, $6 time zone, $7 quiet from, $8 quiet until, $9 digest at
SELECT save_preferences($1, $2, $3, $4, $5, $6, $7::text::time, $8::text::time, $9::text::time) AS outcome
