-- Forgets what is personal about a user, known here or not: what was told before may
-- come after. What their accounts moved stays: other people's statements are made of
-- it, and an id says nothing to anybody.
CREATE FUNCTION forget_holder(of_user uuid, at_seq bigint)
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    INSERT INTO holder (id, told_at) VALUES (of_user, at_seq)
    ON CONFLICT (id) DO UPDATE SET email = NULL, told_at = excluded.told_at
    WHERE excluded.told_at > holder.told_at;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE checkout SET email = NULL WHERE owner = of_user AND email IS NOT NULL;
    RETURN true;
END $$;

CREATE INDEX checkout_with_email ON checkout (owner) WHERE email IS NOT NULL;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_holder TO wharf_payments;
