-- Sends a person a notice about how they sign in: an event that notify delivers before all others.
CREATE OR REPLACE FUNCTION send_notice(to_account uuid, template text, params jsonb) RETURNS bool
LANGUAGE sql AS $$
    INSERT INTO events.outbox (kind, aggregate, payload)
    VALUES ('notify:security', 'user:' || to_account, jsonb_build_object(
        'user_id', to_account, 'template', template, 'params', params));
    SELECT true
$$;

-- The same for a change of how the person signs in: the notice says from where it came.
CREATE OR REPLACE FUNCTION send_security_notice(to_account uuid, template text, from_address text) RETURNS bool
LANGUAGE sql AS $$
    SELECT send_notice(to_account, template, jsonb_build_object('address', from_address))
$$;
