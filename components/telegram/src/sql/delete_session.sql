-- $1 chat
DELETE FROM session WHERE chat = $1
