-- A function writes only the kinds that it declared. The database's owner may write any.
CREATE OR REPLACE FUNCTION check_emission() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = events, pg_temp AS $$
BEGIN
    IF session_user LIKE 'wharf\_%'
        AND NOT EXISTS (SELECT FROM producer WHERE kind = NEW.kind AND producer = consumer())
    THEN
        RAISE insufficient_privilege USING MESSAGE = format('%s may not emit %s', session_user, NEW.kind),
            HINT = 'events.emits in the events.sql of its schema declares what a function emits',
            CONSTRAINT = 'outbox_producer';
    END IF;
    NEW.rank := coalesce((
        SELECT min(lane_rule.rank)
        FROM subscription
        JOIN lane_rule ON lane_rule.consumer = subscription.consumer AND lane_rule.name = subscription.lane
        WHERE subscription.kind = NEW.kind
    ), 1);
    -- The request that wrote the event. An event that follows from another has the other's request. A `?` means that the host
    -- can name it: the statement asks by failing with this code, and the host runs it again with the request named.
    IF NEW.request_id IS NULL AND current_setting('wharf.request_id', true) = '?' THEN
        RAISE 'an event asks for the request that wrote it' USING ERRCODE = 'WR001';
    END IF;
    NEW.request_id := coalesce(NEW.request_id, nullif(current_setting('wharf.request_id', true), ''));
    NEW.traceparent := coalesce(NEW.traceparent, nullif(current_setting('wharf.traceparent', true), ''));
    RETURN NEW;
END $$;

REVOKE ALL ON FUNCTION check_emission FROM PUBLIC;

CREATE OR REPLACE TRIGGER emission_is_checked BEFORE INSERT ON outbox
    FOR EACH ROW EXECUTE FUNCTION check_emission();
