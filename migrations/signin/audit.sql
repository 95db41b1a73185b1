-- Writes a line of the audit trail. Statements call it in RETURNING, so that a row which changes is audited by
-- the same statement, once. The result has no meaning: Spin's interface to PostgreSQL has no void.
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

-- Writes the line of a refused attempt.
CREATE OR REPLACE FUNCTION write_refusal(of_account uuid, reason text, from_address text, request text) RETURNS bool
LANGUAGE sql AS $$
    SELECT write_audit('refused', of_account, NULL, from_address, request, NULL, reason)
$$;

-- A line never changes, except that the address of an erased person is removed, and it is never deleted: an old month is
-- dropped whole.
CREATE OR REPLACE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.address = 'erased' AND to_jsonb(NEW) - 'address' = to_jsonb(OLD) - 'address' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit trail is never changed' USING ERRCODE = 'restrict_violation';
END $$;

-- The role of signin can neither change nor delete lines. The next two functions run as the owner of the table and do
-- just what their comments say.

-- Removes the addresses from which a person acted. In a line with an actor the address is the actor's.
CREATE OR REPLACE FUNCTION forget_addresses(of_account uuid) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = signin, pg_temp AS $$
    WITH forgotten AS (
        UPDATE audit SET address = 'erased'
        WHERE (account = of_account AND actor IS NULL OR actor = of_account) AND address <> 'erased'
        RETURNING 1
    )
    SELECT count(*) FROM forgotten
$$;

-- Drops up to so many old months, and makes the partitions of the year to come, so that a platform that stood still for
-- months can go on writing. Lines are kept for 13 to 14 months. Answers how many were dropped.
CREATE OR REPLACE FUNCTION purge_audit(at_most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = signin, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    present date := date_trunc('month', now() AT TIME ZONE 'UTC');
    last_made text := 'audit_' || to_char(present + interval '12 months', 'YYYYMM');
    first_kept text := 'audit_' || to_char(present - interval '13 months', 'YYYYMM');
    old_months text[] := ARRAY(
        SELECT month.relname::text FROM pg_inherits JOIN pg_class AS month ON month.oid = inhrelid
        WHERE inhparent = 'audit'::regclass AND month.relname::text COLLATE "C" < first_kept COLLATE "C"
        ORDER BY month.relname
        LIMIT at_most);
    old_month text;
BEGIN
    IF to_regclass(last_made) IS NOT NULL AND old_months = '{}' THEN
        RETURN 0;
    END IF;
    -- Another host does it now.
    IF NOT pg_try_advisory_xact_lock(hashtext('signin.purge_audit')) THEN
        RETURN 0;
    END IF;
    PERFORM make_audit_month(month::date)
    FROM generate_series(present::timestamp, present + interval '12 months', interval '1 month') AS month;
    FOREACH old_month IN ARRAY old_months LOOP
        EXECUTE format('DROP TABLE IF EXISTS %I', old_month);
    END LOOP;
    RETURN cardinality(old_months);
EXCEPTION WHEN lock_not_available THEN
    -- A statement reads the trail now. Readers come first, and the next sweep tries again.
    RETURN 0;
END $$;
