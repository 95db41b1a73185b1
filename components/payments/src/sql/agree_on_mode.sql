-- $1 whether this copy moves sandbox money
SELECT agree_on_mode($1)
