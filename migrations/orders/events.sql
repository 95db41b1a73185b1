-- The events that orders emits and hears.
SELECT events.declare();
SELECT events.emits('notify');
SELECT events.hears('user:erased');
SELECT events.hears('payment:' || status)
FROM unnest('{pending, in_process, approved, rejected, expired, cancelled, refunded}'::text[]) AS status;
