-- Every foreign key to `account` locked the rows of house accounts (FOR KEY SHARE), so concurrent movements made
-- MultiXacts of them although no balance is stored there. Accounts are never deleted and keep their currency, so a look
-- without a lock proves as much. `book` itself has the rows of users' accounts.

CREATE FUNCTION forbid_other_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an account is never deleted and keeps its currency' USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER account_is_never_deleted BEFORE DELETE ON account
    FOR EACH ROW EXECUTE FUNCTION forbid_other_account();
CREATE TRIGGER account_keeps_its_currency BEFORE UPDATE OF id, currency, kind ON account
    FOR EACH ROW EXECUTE FUNCTION forbid_other_account();

CREATE FUNCTION check_house_sides() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.debit_balance IS NULL THEN
        PERFORM FROM account WHERE id = NEW.debit AND currency = NEW.currency;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'transfer % is from no account of its currency', NEW.id
                USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'transfer_house_sides';
        END IF;
    END IF;
    IF NEW.credit_balance IS NULL THEN
        PERFORM FROM account WHERE id = NEW.credit AND currency = NEW.currency;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'transfer % is to no account of its currency', NEW.id
                USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'transfer_house_sides';
        END IF;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER transfer_house_sides BEFORE INSERT ON transfer
    FOR EACH ROW WHEN (NEW.debit_balance IS NULL OR NEW.credit_balance IS NULL)
    EXECUTE FUNCTION check_house_sides();

ALTER TABLE transfer DROP CONSTRAINT transfer_debit, DROP CONSTRAINT transfer_credit;
