-- What notify emits and hears.
SELECT events.declare();
SELECT events.defines('notify', 1, 'A person is to be told something, by the channels that they chose.',
    '{"user_id": "uuid: the person", "template": "text: the notice", "params": "object: as the template wants them"}');
SELECT events.defines('notify:security', 1, 'The same about a sign-in, or money that leaves: it goes before all else.',
    '{"user_id": "uuid: the person", "template": "text: the notice", "params": "object: as the template wants them"}');
SELECT events.defines('deliver:telegram', 1, 'A message to a chat.',
    '{"chat": "integer: the chat''s id at Telegram", "text": "text"}');
SELECT events.defines('deliver:email', 1, 'An e-mail.',
    '{"to": "text: the address", "subject": "text", "text": "text"}');
SELECT events.defines('deliver:letter', 1, 'An e-mail about a sign-in, or money that leaves: it goes before all else.',
    '{"to": "text: the address", "subject": "text", "text": "text"}');
SELECT events.defines('deliver:webhook', 1, 'A call of a webhook.',
    '{"webhook": "uuid", "body": "object: what it is told"}');
SELECT events.emits('notify', 'deliver:telegram', 'deliver:email', 'deliver:letter', 'deliver:webhook');

-- A person waits for a letter.
SELECT events.has_lane('letters', 32, 0);
SELECT events.has_lane('notices', 128);
SELECT events.has_lane('messenger', 96, 1, true);
SELECT events.has_lane('mail', 32, 1, true);
-- One for each webhook.
SELECT events.has_lane('webhook', 4, 2);

SELECT events.hears('notify:security', 'letters', NULL, '{params}');
SELECT events.hears('deliver:letter', 'letters', NULL, '{subject, text}');
SELECT events.hears('notify', 'notices', NULL, '{params}');
SELECT events.hears('payment:approved', 'notices');
SELECT events.hears('payment:refunded', 'notices');
SELECT events.hears('user:erased', 'notices');
SELECT events.hears('telegram:started', 'notices');
SELECT events.hears('telegram:linked', 'notices');
SELECT events.hears('deliver:telegram', 'messenger', NULL, '{text}');
SELECT events.hears('telegram:hide', 'messenger');
SELECT events.hears('deliver:email', 'mail', NULL, '{subject, text}');
SELECT events.hears('deliver:webhook', 'webhook', 'webhook', '{body}');
