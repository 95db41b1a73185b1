-- $1 chat
SELECT reason FROM silent_chat WHERE chat = $1
