-- The money of people who were erased.

-- Marks an erased person as having possibly left money. The lock keeps `end_left_behind` from ending the mark before the
-- caller commits.
CREATE OR REPLACE FUNCTION mark_left_behind(of_owner uuid) RETURNS void LANGUAGE sql AS $$
    INSERT INTO left_behind (owner) VALUES (of_owner)
    ON CONFLICT (owner) DO UPDATE SET owner = excluded.owner
$$;

CREATE OR REPLACE FUNCTION see_left_behind() RETURNS trigger LANGUAGE plpgsql
SET search_path = payments, pg_temp AS $$
BEGIN
    PERFORM mark_left_behind(NEW.owner);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER account_is_left_behind AFTER UPDATE OF balance ON account
    FOR EACH ROW WHEN (NEW.is_left AND NEW.balance <> OLD.balance) EXECUTE FUNCTION see_left_behind();

-- Refunds open accounts of erased people, too. The lock makes this wait for `forget_holder`, and that for this: otherwise an
-- account that is opened meanwhile is seen by neither.
CREATE OR REPLACE FUNCTION open_as_left() RETURNS trigger LANGUAGE plpgsql
SET search_path = payments, pg_temp AS $$
BEGIN
    PERFORM FROM holder WHERE id = NEW.owner FOR SHARE;
    NEW.is_left := EXISTS (SELECT FROM holder WHERE id = NEW.owner AND erased_at IS NOT NULL);
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER account_opens_as_left BEFORE INSERT ON account
    FOR EACH ROW WHEN (NEW.owner IS NOT NULL) EXECUTE FUNCTION open_as_left();

-- Ends the marks of people who have no money left. The setting keeps the indexes of their accounts and codes.
CREATE OR REPLACE FUNCTION end_left_behind() RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    locked uuid[] := ARRAY(SELECT owner FROM left_behind FOR UPDATE SKIP LOCKED);
BEGIN
    -- In a statement of its own, which sees what came before the lock.
    DELETE FROM left_behind AS it
    WHERE owner = ANY (locked)
        AND NOT EXISTS (SELECT FROM account WHERE account.owner = it.owner AND balance > 0)
        AND NOT EXISTS (
            SELECT FROM promocode
            WHERE created_by = it.owner AND used_count < max_uses AND expires_at IS NULL
                AND EXISTS (SELECT FROM transfer WHERE transfer.id = promocode.id));
END $$;

-- Sets aside the free money of an erased person in one currency, after their debts. Held money follows when it is released;
-- so do refunds and returned payouts.
CREATE OR REPLACE FUNCTION set_aside(of_owner uuid, in_currency text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    source uuid;
    part bigint;
BEGIN
    PERFORM settle_receivables(of_owner, in_currency, NULL);
    FOR source IN SELECT id FROM account WHERE owner = of_owner AND currency = in_currency ORDER BY id LOOP
        SELECT balance - held INTO part FROM account WHERE id = source;
        CONTINUE WHEN part <= 0;
        PERFORM book(gen_random_uuid(), 'unclaimed', source, house_account('unclaimed', in_currency), part,
                     in_currency, of_owner::text);
        INSERT INTO unclaimed (owner, currency, amount) VALUES (of_owner, in_currency, part)
        ON CONFLICT (owner, currency) DO UPDATE SET amount = unclaimed.amount + excluded.amount, updated_at = now();
    END LOOP;
END $$;

-- Takes from the unclaimed money of a person, and answers how much. The caller books where it goes.
CREATE OR REPLACE FUNCTION take_unclaimed(of_owner uuid, in_currency text, at_most bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    part bigint;
BEGIN
    SELECT least(amount, at_most) INTO part
    FROM unclaimed WHERE owner = of_owner AND currency = in_currency FOR NO KEY UPDATE;
    IF part > 0 THEN
        UPDATE unclaimed SET amount = amount - part, updated_at = now()
        WHERE owner = of_owner AND currency = in_currency;
    END IF;
    RETURN coalesce(part, 0);
END $$;

-- Brings unclaimed money back to an account of the erased person who left it, to be refunded from. Answers whether there
-- was any. The sweep sets the surplus aside again. The caller has locked the account.
CREATE OR REPLACE FUNCTION bring_back(to_account uuid, at_most bigint) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    it account := (SELECT account FROM account WHERE id = to_account);
    part bigint := take_unclaimed(it.owner, it.currency, at_most);
BEGIN
    IF part > 0 THEN
        PERFORM book(gen_random_uuid(), 'claim', house_account('unclaimed', it.currency), to_account, part, it.currency,
                     it.owner::text);
    END IF;
    RETURN part > 0;
END $$;

-- Ends one code that an erased person paid for and that was not used: its money goes back to their wallet, to be set aside.
-- The person to whom the code was given can claim it from an admin. A code whose money cannot go back is tried again an hour
-- later, so that it blocks no other. Answers whether there was one. The setting keeps the index of open codes: PostgreSQL
-- estimates a third of all codes as open.
CREATE OR REPLACE FUNCTION end_code_of_erased() RETURNS bool LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    code promocode;
    paid transfer;
BEGIN
    -- A code that a claim has locked is about to be used, or is found again by a later sweep.
    SELECT promocode.* INTO code FROM left_behind
    JOIN promocode ON promocode.created_by = left_behind.owner
    WHERE used_count < max_uses AND expires_at IS NULL
        AND coalesce(retry_at, '-infinity') <= now()
        AND EXISTS (SELECT FROM transfer WHERE transfer.id = promocode.id)
    LIMIT 1 FOR NO KEY UPDATE OF promocode SKIP LOCKED;
    IF code.id IS NULL THEN
        RETURN false;
    END IF;
    SELECT * INTO paid FROM transfer WHERE id = code.id;
    IF (give_back(gen_random_uuid(), paid, NULL, 'promo code of an erased user')).outcome = 'moved' THEN
        UPDATE promocode SET expires_at = now() WHERE id = code.id;
    ELSE
        UPDATE promocode SET retry_at = now() + interval '1 hour' WHERE id = code.id;
    END IF;
    RETURN true;
END $$;

-- Sets aside the money of one erased person who has some. Answers whether there was one. The setting keeps the index of
-- accounts by owner: there are few marks, but PostgreSQL may expect many.
CREATE OR REPLACE FUNCTION set_aside_next()
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp SET enable_seqscan = off AS $$
DECLARE
    source account;
BEGIN
    SELECT account.* INTO source FROM left_behind
    JOIN account ON account.owner = left_behind.owner
    WHERE account.balance > account.held - coalesce((
            SELECT sum(amount) FROM hold WHERE hold.account = account.id AND until <= now()), 0)
    LIMIT 1;
    IF source.id IS NOT NULL THEN
        PERFORM set_aside(source.owner, source.currency);
        RETURN true;
    ELSIF end_code_of_erased() THEN
        RETURN true;
    END IF;
    PERFORM end_left_behind();
    RETURN false;
END $$;

-- Erases a user's personal data, also of a user not known here: earlier events may arrive later. Transfers of their accounts
-- stay, because the statements of others contain them. The sweep sets their remaining money aside.
CREATE OR REPLACE FUNCTION forget_holder(of_user uuid, at_seq bigint)
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    INSERT INTO holder (id, told_at, erased_at) VALUES (of_user, at_seq, now())
    ON CONFLICT (id) DO UPDATE SET email = NULL, told_at = excluded.told_at, erased_at = now()
    WHERE excluded.told_at > holder.told_at;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- In the order in which `book` locks them: accounts by id, then the mark.
    PERFORM FROM account WHERE owner = of_user ORDER BY id FOR NO KEY UPDATE;
    UPDATE account SET is_left = true WHERE owner = of_user;
    PERFORM mark_left_behind(of_user);
    UPDATE checkout SET email = NULL WHERE owner = of_user AND email IS NOT NULL;
    PERFORM forget_destinations(of_user);
    RETURN true;
END $$;

-- Gives unclaimed money to the wallet of the person who has proven to an admin that it is theirs.
CREATE OR REPLACE FUNCTION hand_over(
    of_owner uuid, in_currency text, to_user uuid, by_admin uuid, why text, alone_up_to bigint
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it unclaimed;
    claimant uuid := (SELECT id FROM holder WHERE id = to_user AND erased_at IS NULL);
    outcome text;
BEGIN
    PERFORM lock_acts(by_admin);
    SELECT * INTO it FROM unclaimed WHERE owner = of_owner AND currency = in_currency FOR NO KEY UPDATE;
    IF it.owner IS NULL OR it.amount = 0 THEN
        RETURN 'unknown_unclaimed';
    ELSIF claimant IS NULL THEN
        RETURN 'unknown_claimant';
    END IF;
    -- Both admins have to name the same claimant.
    IF NOT may_act('unclaimed', of_owner::text, 'claimed by ' || claimant, it.amount, in_currency, claimant, by_admin,
                   why, alone_up_to - done_alone(by_admin, 'unclaimed', 'claimed by ', in_currency))
    THEN
        RETURN 'proposed';
    END IF;
    outcome := (book(gen_random_uuid(), 'claim', house_account('unclaimed', in_currency),
                     main_account(claimant, in_currency), it.amount, in_currency, of_owner::text)).outcome;
    IF outcome = 'moved' THEN
        UPDATE unclaimed SET amount = 0, updated_at = now() WHERE owner = of_owner AND currency = in_currency;
        PERFORM note_act('unclaimed', of_owner::text, 'claimed by ' || claimant, it.amount, in_currency, by_admin, why);
    END IF;
    RETURN outcome;
END $$;

REVOKE ALL ON FUNCTION mark_left_behind, see_left_behind, open_as_left, end_left_behind, set_aside, take_unclaimed, bring_back, end_code_of_erased, set_aside_next, forget_holder, hand_over
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_aside_next, forget_holder, hand_over TO wharf_payments;

-- Users whom a copy of the release before erased after the marks were made and before this file was applied.
WITH missed AS (
    UPDATE account SET is_left = true FROM holder
    WHERE holder.id = account.owner AND erased_at IS NOT NULL AND NOT is_left
    RETURNING account.owner
)
INSERT INTO left_behind (owner) SELECT DISTINCT owner FROM missed ON CONFLICT DO NOTHING;
