-- Receivables, and the movements that wait until a user owes nothing.

-- Settles a user's receivables from their free and unclaimed money, and answers the rest that is owed. `beside` is another
-- account that the caller locks next: rows of accounts are locked by id.
CREATE OR REPLACE FUNCTION settle_receivables(of_owner uuid, in_currency text, beside uuid)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    owed receivable;
    source uuid;
    part bigint;
    still bigint := 0;
BEGIN
    PERFORM FROM account
    WHERE (owner = of_owner AND currency = in_currency OR id = beside) AND kind <> 'house'
    ORDER BY id FOR NO KEY UPDATE;
    PERFORM free_due_holds(id) FROM account WHERE owner = of_owner AND currency = in_currency AND held > 0;
    FOR owed IN
        SELECT * FROM receivable
        WHERE owner = of_owner AND currency = in_currency AND settled + written_off < amount
        ORDER BY created_at, id FOR NO KEY UPDATE
    LOOP
        FOR source IN
            SELECT id FROM account WHERE owner = of_owner AND currency = in_currency ORDER BY kind DESC, id
        LOOP
            SELECT least(balance - held, owed.amount - owed.settled - owed.written_off) INTO part
            FROM account WHERE id = source;
            CONTINUE WHEN part <= 0;
            PERFORM book(gen_random_uuid(), 'settlement', source, house_account('receivables', in_currency), part,
                         in_currency, owed.checkout::text, 'settlement of a payment that was taken back');
            owed.settled := owed.settled + part;
        END LOOP;
        part := take_unclaimed(of_owner, in_currency, owed.amount - owed.settled - owed.written_off);
        IF part > 0 THEN
            PERFORM book(gen_random_uuid(), 'settlement', house_account('unclaimed', in_currency),
                         house_account('receivables', in_currency), part, in_currency, owed.checkout::text,
                         'settlement of a payment that was taken back');
            owed.settled := owed.settled + part;
        END IF;
        UPDATE receivable SET settled = owed.settled WHERE id = owed.id;
        still := still + owed.amount - owed.settled - owed.written_off;
    END LOOP;
    RETURN still;
END $$;

-- Whether a user still owes in any currency after their money was taken. Money of one currency settles no debt in another,
-- but cannot be moved either. The caller moves money of `in_currency` next, and locks `beside`.
CREATE OR REPLACE FUNCTION still_owes(of_owner uuid, in_currency text, beside uuid)
RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    still bigint := 0;
    owed text[] := ARRAY(
        SELECT DISTINCT currency FROM receivable
        WHERE owner = of_owner AND settled + written_off < amount ORDER BY currency);
    one_of text;
BEGIN
    PERFORM FROM account
    WHERE (owner = of_owner AND currency = ANY (owed || in_currency) OR id = beside) AND kind <> 'house'
    ORDER BY id FOR NO KEY UPDATE;
    FOREACH one_of IN ARRAY owed LOOP
        still := still + settle_receivables(of_owner, one_of, beside);
    END LOOP;
    RETURN still > 0;
END $$;

-- Whether a movement out of a user's accounts has to wait. A copy of an earlier movement does not wait.
CREATE OR REPLACE FUNCTION must_wait(transfer_id uuid, of_owner uuid, in_currency text, beside uuid)
RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM receivable WHERE owner = of_owner AND settled + written_off < amount;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM FROM transfer WHERE id = transfer_id;
    RETURN NOT FOUND AND still_owes(of_owner, in_currency, beside);
END $$;

-- When the sweep looks at a debt again: within seconds while it is new, later every ten minutes. Nothing waits for that, because
-- a user who moves money settles first.
CREATE OR REPLACE FUNCTION next_settlement(it receivable) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT now() + least(greatest((now() - it.created_at) / 10, interval '1 second'), interval '10 minutes')
$$;

-- Looks at the next hundred debts that are due, and settles the first one whose user has free money. Answers whether more may
-- be due. Debts are locked after accounts, or alone. The setting keeps the indexes of debts and of their owners' accounts:
-- PostgreSQL would read all accounts.
CREATE OR REPLACE FUNCTION settle_next()
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp SET enable_seqscan = off AS $$
DECLARE
    debtor receivable;
    looked_at bigint;
BEGIN
    SELECT due.* INTO debtor
    FROM (
        SELECT * FROM receivable WHERE settled + written_off < amount AND settle_at <= now() ORDER BY settle_at LIMIT 100
    ) AS due
    WHERE EXISTS (
        SELECT FROM account
        WHERE account.owner = due.owner AND account.currency = due.currency AND account.balance > account.held)
    LIMIT 1;
    IF debtor.id IS NOT NULL THEN
        PERFORM settle_receivables(debtor.owner, debtor.currency, NULL);
        UPDATE receivable SET settle_at = next_settlement(receivable) WHERE id = debtor.id;
        RETURN true;
    END IF;
    WITH due AS (
        SELECT id FROM receivable WHERE settled + written_off < amount AND settle_at <= now()
        ORDER BY settle_at LIMIT 100 FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE receivable SET settle_at = next_settlement(receivable) FROM due WHERE receivable.id = due.id;
    GET DIAGNOSTICS looked_at = ROW_COUNT;
    RETURN looked_at = 100;
END $$;

-- The house bears the rest of a receivable.
CREATE OR REPLACE FUNCTION write_off(of_receivable uuid, by_admin uuid, why text, alone_up_to bigint)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it receivable;
    rest bigint;
BEGIN
    PERFORM lock_acts(by_admin);
    SELECT * INTO it FROM receivable WHERE id = of_receivable FOR NO KEY UPDATE;
    IF it.id IS NULL THEN
        RETURN 'unknown_receivable';
    END IF;
    rest := it.amount - it.settled - it.written_off;
    IF rest = 0 THEN
        RETURN 'replayed';
    END IF;
    IF NOT may_act('receivable', it.id::text, 'written_off', rest, it.currency, it.owner, by_admin, why,
                   alone_up_to - done_alone(by_admin, 'receivable', 'written_off', it.currency))
    THEN
        RETURN 'proposed';
    END IF;
    PERFORM book(gen_random_uuid(), 'loss', house_account('losses', it.currency),
                 house_account('receivables', it.currency), rest, it.currency, it.checkout::text, why);
    UPDATE receivable SET written_off = written_off + rest WHERE id = it.id;
    PERFORM note_act('receivable', it.id::text, 'written_off', rest, it.currency, by_admin, why);
    RETURN 'moved';
END $$;

-- One user pays another out of their mains.
CREATE OR REPLACE FUNCTION pay(
    payment uuid,
    payer uuid,
    payee uuid,
    of_amount bigint,
    in_currency text,
    for_reference text,
    described text,
    held_until timestamptz
) RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    from_account uuid;
    to_account uuid;
BEGIN
    PERFORM lock_name(payment);
    PERFORM FROM voided WHERE voided.payment = pay.payment;
    IF FOUND THEN
        RETURN refused('voided');
    END IF;
    IF payer < payee THEN
        from_account := main_account(payer, in_currency);
        to_account := main_account(payee, in_currency);
    ELSE
        to_account := main_account(payee, in_currency);
        from_account := main_account(payer, in_currency);
    END IF;
    IF must_wait(payment, payer, in_currency, to_account) THEN
        RETURN refused('receivable_open');
    END IF;
    RETURN book(payment, 'payment', from_account, to_account, of_amount, in_currency, for_reference, described,
                NULL, held_until, commission_of(payee));
END $$;

-- Moves money from an account of the caller to an account of any user.
CREATE OR REPLACE FUNCTION send(transfer_id uuid, of_owner uuid, from_name text, to_name text, of_amount bigint)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    source account := further_account(of_owner, from_name);
    target account := further_account(NULL, to_name);
BEGIN
    IF source.id IS NULL OR target.id IS NULL THEN
        RETURN refused('unknown_account');
    END IF;
    IF source.currency <> target.currency THEN
        RETURN refused('other_currency');
    END IF;
    IF must_wait(transfer_id, of_owner, source.currency, target.id) THEN
        RETURN refused('receivable_open');
    END IF;
    RETURN book(transfer_id, 'send', source.id, target.id, of_amount, source.currency);
END $$;

-- Moves money from an account of the caller to the outside world: to `sandbox` at once, where money has no value; otherwise to
-- `payouts`. Clients of this operation cannot ask for a fresh sign-in, so the owner is notified.
CREATE OR REPLACE FUNCTION withdraw(transfer_id uuid, of_owner uuid, from_name text, of_amount bigint, to_house text)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    source account := further_account(of_owner, from_name);
    answer movement;
BEGIN
    IF source.id IS NULL THEN
        RETURN refused('unknown_account');
    END IF;
    IF must_wait(transfer_id, of_owner, source.currency, NULL) THEN
        RETURN refused('receivable_open');
    END IF;
    answer := book(transfer_id, 'withdrawal', source.id, house_account(to_house, source.currency), of_amount,
                   source.currency);
    IF answer.outcome = 'moved' AND to_house = 'payouts' THEN
        PERFORM queue_payout(transfer_id, of_owner, NULL);
    END IF;
    IF answer.outcome = 'moved' THEN
        INSERT INTO events.outbox (kind, aggregate, payload)
        VALUES ('notify:security', 'user:' || of_owner, jsonb_build_object(
            'user_id', of_owner, 'template', 'money-withdrawn', 'params', jsonb_build_object(
                'reference', from_name, 'amount_cents', of_amount, 'currency', source.currency)));
    END IF;
    RETURN answer;
END $$;

-- A code for one use, paid from the user's main account. The text is random, so a taken one is a fault and aborts the
-- transaction.
CREATE OR REPLACE FUNCTION generate_promocode(
    transfer_id uuid, by_user uuid, with_code text, of_amount bigint, in_currency text
)
RETURNS coined LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    promo uuid := house_account('promo', in_currency);
    main uuid := main_account(by_user, in_currency);
    paid movement;
    answer coined;
    earlier promocode;
BEGIN
    IF must_wait(transfer_id, by_user, in_currency, NULL) THEN
        paid := refused('receivable_open');
    ELSE
        paid := book(transfer_id, 'promo_generation', main, promo, of_amount, in_currency);
    END IF;
    IF paid.outcome = 'moved' THEN
        answer := coin(transfer_id, with_code, of_amount, in_currency, 1, NULL, NULL, by_user);
        IF answer.outcome <> 'coined' THEN
            RAISE EXCEPTION 'generated code is taken' USING ERRCODE = 'unique_violation', CONSTRAINT = 'promocode_free';
        END IF;
    ELSE
        SELECT * INTO earlier FROM promocode WHERE id = transfer_id AND paid.outcome = 'replayed';
        answer := ROW(paid.outcome, earlier.code, earlier.amount, earlier.max_uses, earlier.max_uses_per_user,
                      earlier.expires_at)::coined;
    END IF;
    RETURN answer;
END $$;

REVOKE ALL ON FUNCTION settle_receivables, still_owes, must_wait, next_settlement, settle_next, write_off, pay, send, withdraw,
    generate_promocode FROM PUBLIC;
GRANT EXECUTE ON FUNCTION settle_next, write_off, pay, send, withdraw, generate_promocode TO wharf_payments;
