-- $1 booking
UPDATE booking SET kept_to = date_to WHERE id = $1
