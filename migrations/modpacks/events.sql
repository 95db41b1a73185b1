-- What modpacks emits and hears.
SELECT events.declare();
SELECT events.hears('user:erased');
