-- Gives an account a passcode in place of the one it had. Answers until when it is valid, or null when another
-- account holds the same digits right now.
CREATE OR REPLACE FUNCTION issue_passcode(to_account uuid, with_code text, for_seconds bigint) RETURNS timestamptz
LANGUAGE plpgsql AS $$
DECLARE
    valid_until timestamptz := now() + for_seconds * interval '1 second';
BEGIN
    -- Two requests of one account queue here.
    PERFORM FROM account WHERE id = to_account FOR NO KEY UPDATE;
    DELETE FROM passcode WHERE code = with_code AND expires_at <= now();
    DELETE FROM passcode WHERE account = to_account;
    INSERT INTO passcode (code, account, expires_at) VALUES (with_code, to_account, valid_until)
    ON CONFLICT (code) DO NOTHING;
    RETURN CASE WHEN FOUND THEN valid_until END;
END $$;
