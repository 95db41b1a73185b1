-- The audit trail by month (UTC), so that what is past its time is dropped whole. What is stored is carried over.

ALTER TABLE audit RENAME TO former_audit;
ALTER INDEX audit_of_account RENAME TO former_audit_of_account;

-- PostgreSQL 15 has no identity columns in partitioned tables.
CREATE SEQUENCE audit_line;

CREATE TABLE audit (
    -- Ascends with time.
    id         bigint NOT NULL DEFAULT nextval('signin.audit_line'),
    at         timestamptz NOT NULL DEFAULT now(),
    -- 'signed-in', 'refused', 'registered', 'signed-out', 'password-changed' …
    what       text NOT NULL,
    account    uuid,
    session    uuid,
    -- The account that did it, when it is another one: the address is then the actor's.
    actor      uuid,
    address    text NOT NULL,
    request_id text NOT NULL,
    detail     text
) PARTITION BY RANGE (at);

ALTER SEQUENCE audit_line OWNED BY audit.id;

CREATE INDEX audit_of_account ON audit (account, id);
CREATE INDEX audit_of_actor ON audit (actor) WHERE actor IS NOT NULL;

CREATE TRIGGER audit_is_final BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- The functions reach lines through `audit` alone.
REVOKE ALL ON audit FROM wharf_signin;
GRANT SELECT, INSERT ON audit TO wharf_signin;

-- Makes the partition of a month, if it is missing. A partition that is attached blocks no line that is being written.
CREATE FUNCTION make_audit_month(month date) RETURNS bool
LANGUAGE plpgsql SECURITY DEFINER SET search_path = signin, pg_temp AS $$
DECLARE
    partition text := 'audit_' || to_char(month, 'YYYYMM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE audit INCLUDING DEFAULTS)', partition);
    EXECUTE format('REVOKE ALL ON %I FROM wharf_signin', partition);
    EXECUTE format('CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON %I '
        'FOR EACH STATEMENT EXECUTE FUNCTION forbid_change()', partition);
    EXECUTE format('ALTER TABLE audit ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        partition, month || ' 00:00+00', (month + interval '1 month')::date || ' 00:00+00');
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION make_audit_month FROM PUBLIC, wharf_signin;

DO $$
DECLARE
    present date := date_trunc('month', now() AT TIME ZONE 'UTC');
    first date := coalesce((SELECT date_trunc('month', min(at) AT TIME ZONE 'UTC') FROM former_audit), present);
BEGIN
    PERFORM make_audit_month(month::date)
    FROM generate_series(least(first, present)::timestamp, present + interval '12 months', interval '1 month') AS month;
END $$;

INSERT INTO audit (id, at, what, account, session, actor, address, request_id, detail)
SELECT id, at, what, account, session, actor, address, request_id, detail FROM former_audit;

SELECT setval('audit_line', (SELECT max(id) FROM audit)) WHERE EXISTS (SELECT FROM audit);

DROP TABLE former_audit;
