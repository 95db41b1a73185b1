-- What jobs emits and hears: it brings in what programs outside publish on Redis.
SELECT events.declare();
SELECT events.defines('user:announced', 1,
    'A program outside says that there is a user. What signin says of the same user counts for more.',
    '{"id": "uuid: the user", "email": "text or null"}');
SELECT events.emits('user:announced', 'deliver:telegram');
