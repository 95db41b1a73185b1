-- $1 chat
DELETE FROM silent_chat WHERE chat = $1
