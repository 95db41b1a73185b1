-- Forgets what is personal about a user. What their accounts moved stays: other
-- people's statements are made of it, and an id says nothing to anybody.
CREATE FUNCTION forget_holder(of_user uuid)
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    UPDATE checkout SET email = NULL WHERE owner = of_user AND email IS NOT NULL;
    UPDATE holder SET email = NULL WHERE id = of_user;
    RETURN FOUND;
END $$;

CREATE INDEX checkout_with_email ON checkout (owner) WHERE email IS NOT NULL;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_holder TO wharf_payments;
