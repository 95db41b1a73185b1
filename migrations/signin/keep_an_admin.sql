-- The platform always has an admin: the last one cannot be erased, demoted or disabled. When another one is, an event says so,
-- whichever statement does it.
CREATE OR REPLACE FUNCTION keep_an_admin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Admins who leave at the same moment queue here: the second one finds that the first is gone.
    PERFORM pg_advisory_xact_lock(hashtext('signin.keep_an_admin'));
    IF NOT EXISTS (
        SELECT FROM account WHERE account.id <> OLD.id AND 'admin' = ANY (account.roles) AND account.disabled_at IS NULL)
    THEN
        RAISE EXCEPTION 'the last admin stays'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'account_keeps_an_admin';
    END IF;
    INSERT INTO events.outbox (kind, aggregate, payload)
    VALUES ('user:demoted', 'user:' || OLD.id, jsonb_build_object('id', OLD.id));
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER account_keeps_an_admin BEFORE UPDATE OF roles, disabled_at ON account FOR EACH ROW
WHEN (
    'admin' = ANY (OLD.roles) AND OLD.disabled_at IS NULL
    AND NOT ('admin' = ANY (NEW.roles) AND NEW.disabled_at IS NULL))
EXECUTE FUNCTION keep_an_admin();
