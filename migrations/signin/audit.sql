-- Writes a line of the audit trail. Statements call it in RETURNING, so that a row which changes is audited by
-- the same statement, once. The result says nothing; Spin's interface to PostgreSQL knows no void.
CREATE OR REPLACE FUNCTION write_audit(
    event text, of_account uuid, in_session uuid, from_address text, request text,
    by_actor uuid DEFAULT NULL, with_detail text DEFAULT NULL
) RETURNS bool
LANGUAGE sql AS $$
    INSERT INTO audit (what, account, session, actor, address, request_id, detail)
    -- An actor is named only when it is not the person of the account.
    VALUES (event, of_account, in_session, nullif(by_actor, of_account), from_address, request, with_detail)
    RETURNING true
$$;

-- A line is never changed, but for the address of a person who was erased, and it is deleted only when it is older
-- than its time.
CREATE OR REPLACE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.address = 'erased' AND to_jsonb(NEW) - 'address' = to_jsonb(OLD) - 'address' THEN
        RETURN NEW;
    ELSIF TG_OP = 'DELETE' AND OLD.at < now() - interval '13 months' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit trail is never changed' USING ERRCODE = 'restrict_violation';
END $$;

-- The role of signin can neither change nor delete lines. These two do it as the owner of the table, and no more
-- than the trigger allows.
CREATE OR REPLACE FUNCTION forget_addresses(of_account uuid) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = signin, pg_temp AS $$
    WITH forgotten AS (
        UPDATE audit SET address = 'erased' WHERE account = of_account AND address <> 'erased' RETURNING 1
    )
    SELECT count(*) FROM forgotten
$$;

CREATE OR REPLACE FUNCTION purge_audit(at_most bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = signin, pg_temp AS $$
    -- Ids ascend with time, so the oldest lines are read and no others.
    WITH oldest AS (
        SELECT id, at FROM audit ORDER BY id LIMIT at_most
    ), purged AS (
        DELETE FROM audit USING oldest WHERE audit.id = oldest.id AND oldest.at < now() - interval '13 months'
        RETURNING 1
    )
    SELECT count(*) FROM purged
$$;
