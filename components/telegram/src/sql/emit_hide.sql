-- $1 chat, $2 message
INSERT INTO events.outbox (kind, aggregate, payload)
VALUES ('telegram:hide', 'telegram:hide:' || $1::bigint || ':' || $2::bigint,
    jsonb_build_object('chat', $1::bigint, 'message', $2::bigint))
