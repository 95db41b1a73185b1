-- $1 chat
SELECT token FROM session WHERE chat = $1
