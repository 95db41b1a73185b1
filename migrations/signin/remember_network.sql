-- Remembers from which network an account signed in. The person gets a notice of a network that is new, except of the
-- account's first one.
CREATE OR REPLACE FUNCTION remember_network(of_account uuid, from_network text, from_address text) RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE
    is_first bool;
    is_new bool;
BEGIN
    -- A request of one of our functions has no network.
    IF from_network IS NULL THEN
        RETURN false;
    END IF;
    is_first := NOT EXISTS (SELECT FROM known_network WHERE account = of_account);
    INSERT INTO known_network (account, network) VALUES (of_account, from_network)
    ON CONFLICT (account, network) DO NOTHING;
    is_new := FOUND;
    IF NOT is_new THEN
        -- Once a day is often enough to know that the network is in use.
        UPDATE known_network SET seen_at = now()
        WHERE account = of_account AND network = from_network AND seen_at < now() - interval '1 day';
    ELSIF NOT is_first THEN
        PERFORM send_security_notice(of_account, 'new-sign-in', from_address);
    END IF;
    RETURN is_new;
END $$;
