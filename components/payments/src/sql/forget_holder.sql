-- $1 user
SELECT forget_holder($1)
