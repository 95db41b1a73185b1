-- The events that payments emits and hears.
SELECT events.declare();
SELECT events.defines('payment:' || status, 1, says || ' Its opener does what follows.',
    '{"payment_id": "uuid", "opener": "text: the function that asked for it", "order_id": "text: its reference",
      "customer_id": "text: the payer, as the opener knows them", "owner_id": "uuid: the user who may see it",
      "amount": "integer: minor units", "currency": "text: ISO 4217", "status": "text"}')
FROM (VALUES
    ('payment_service_unavailable', 'The provider could not be asked yet.'),
    ('pending', 'A payment waits for its payer.'),
    ('in_process', 'The provider is deciding about a payment.'),
    ('approved', 'A payment was made and booked.'),
    ('rejected', 'An attempt to pay was declined.'),
    ('expired', 'A payment was not made in time.'),
    ('cancelled', 'A payment was called off.'),
    ('refunded', 'A payment was sent back.')
) AS it (status, says);
SELECT events.emits('payment:payment_service_unavailable', 'payment:pending', 'payment:in_process', 'payment:approved',
    'payment:rejected', 'payment:expired', 'payment:cancelled', 'payment:refunded', 'notify:security');
SELECT events.hears('user:created');
SELECT events.hears('user:updated');
SELECT events.hears('user:announced');
SELECT events.hears('user:demoted');
SELECT events.hears('user:erased');
