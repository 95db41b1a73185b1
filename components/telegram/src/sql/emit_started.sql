-- $1 chat
INSERT INTO events.outbox (kind, aggregate, payload)
VALUES ('telegram:started', 'telegram:' || $1::bigint, jsonb_build_object('chat', $1::bigint))
