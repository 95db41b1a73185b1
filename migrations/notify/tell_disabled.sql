-- Tells the owner of a webhook that it is not called any more.
CREATE OR REPLACE FUNCTION tell_disabled(it webhook) RETURNS bool
LANGUAGE sql AS $$
    INSERT INTO events.outbox (kind, aggregate, payload)
    VALUES ('notify', 'webhook:' || it.id, jsonb_build_object(
        'user_id', it.owner,
        'template', 'webhook_disabled',
        'params', jsonb_build_object('url', it.url, 'reason', it.disabled_because)
    ));
    SELECT true
$$;
