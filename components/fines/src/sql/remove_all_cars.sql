-- Tickets and fines stay with their plates.
UPDATE car SET listed = false, owner = NULL WHERE listed
