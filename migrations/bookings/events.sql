-- What bookings emits and hears.
SELECT events.declare();
SELECT events.emits('notify');
SELECT events.hears('user:erased');
