-- $1 limit
SELECT purge_guesses($1)
