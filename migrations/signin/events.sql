-- What signin emits and hears.
SELECT events.declare();
SELECT events.defines('user:created', 1, 'An account was made.',
    '{"id": "uuid: the user", "email": "text or null"}');
SELECT events.defines('user:updated', 1, 'The e-mail of a user changed.',
    '{"id": "uuid: the user", "email": "text or null: from now on"}');
SELECT events.defines('user:demoted', 1, 'A user lost the role of an admin, or was disabled or erased as one.',
    '{"id": "uuid: the user"}');
SELECT events.defines('user:erased', 1, 'A person was erased: every function removes what it keeps of them.',
    '{"id": "uuid: the user"}');
SELECT events.emits('user:created', 'user:updated', 'user:demoted', 'user:erased', 'notify:security');
