-- The one function here hears its own events.
SELECT events.declare();
SELECT events.defines('hello:greeted', 1, 'A greeting was made.', '{"id": "integer: the greeting"}');
SELECT events.emits('hello:greeted');
SELECT events.hears('hello:greeted');
