-- What telegram emits and hears.
SELECT events.declare();
SELECT events.defines('telegram:started', 1, 'A person wrote to the bot, so the bot may write to them.',
    '{"chat": "integer: the chat''s id at Telegram"}');
SELECT events.defines('telegram:hide', 1, 'A message has a password in it and could not be deleted at once.',
    '{"chat": "integer: the chat''s id at Telegram", "message": "integer: the message''s id in it"}');
SELECT events.defines('telegram:linked', 1, 'A person signed in in a chat: it is theirs.',
    '{"chat": "integer: the chat''s id at Telegram", "user_id": "uuid: the person"}');
SELECT events.emits('telegram:started', 'telegram:hide', 'telegram:linked');
SELECT events.hears('user:erased');
