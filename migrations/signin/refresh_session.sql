-- Exchanges the refresh token of a session for the next one. Two clients that send the same token within the grace
-- get the same next one. After the grace only the network that spent a token may send it again, until the next one is
-- used: the answer may have been lost. In all other cases two clients hold the token, so the session ends (RFC 9700,
-- refresh token rotation).
CREATE OR REPLACE FUNCTION refresh_session(
    in_session uuid, with_token uuid, next_token uuid, grace_s bigint, from_address text, request text,
    from_network text
) RETURNS TABLE (
    outcome text, of_account account, token uuid, seconds_left bigint, amr text[], authenticated_at timestamptz
)
LANGUAGE plpgsql AS $$
DECLARE
    held session;
    owner account;
BEGIN
    SELECT * INTO held FROM session WHERE id = in_session FOR UPDATE;
    SELECT * INTO owner FROM account WHERE id = held.account;
    token := with_token;
    of_account := owner;
    amr := held.amr;
    authenticated_at := held.authenticated_at;
    seconds_left := extract(epoch FROM held.expires_at - now())::bigint;
    IF held.id IS NULL OR held.ended_at IS NOT NULL OR held.expires_at <= now()
        OR held.seal <> owner.seal OR owner.disabled_at IS NOT NULL OR held.refresh IS NULL
    THEN
        outcome := 'over';
    ELSIF held.refresh = with_token THEN
        UPDATE session SET spent = with_token, refresh = next_token, refreshed_at = clock_timestamp(),
            spent_from = from_network
        WHERE id = in_session;
        outcome := 'refreshed';
        token := next_token;
    ELSIF held.spent = with_token AND (
        held.refreshed_at > now() - grace_s * interval '1 second' OR held.spent_from = from_network)
    THEN
        outcome := 'refreshed';
        token := held.refresh;
    ELSE
        UPDATE session SET ended_at = now(), ended_because = 'refresh-token-reused' WHERE id = in_session;
        PERFORM write_audit('refresh-token-reused', owner.id, in_session, from_address, request);
        PERFORM send_security_notice(owner.id, 'refresh-token-reused', from_address);
        outcome := 'reused';
    END IF;
    IF outcome = 'refreshed' THEN
        PERFORM write_audit('refreshed', owner.id, in_session, from_address, request);
    END IF;
    RETURN NEXT;
END $$;
