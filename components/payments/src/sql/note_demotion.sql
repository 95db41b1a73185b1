-- $1 user, $2 when they lost the role of an admin
SELECT note_demotion($1, moment($2))
