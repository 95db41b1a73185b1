-- The events that fines emits and hears.
SELECT events.declare();
SELECT events.emits('notify');
SELECT events.hears('user:erased');
SELECT events.hears('payment:' || status)
FROM unnest('{approved, rejected, expired, cancelled, refunded}'::text[]) AS status;
