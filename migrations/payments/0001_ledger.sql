-- The double-entry ledger.
--
-- A transfer moves an amount from one account to another of the same currency
-- and is never changed or deleted. Users' accounts carry their balance and can
-- never go below what is held on them. House accounts (the outside world, promo
-- money, the PSP, sales) may go anywhere and carry no balance: it is the sum of
-- their transfers, so that no row of theirs is ever fought over.
--
-- The component's role reads tables and calls functions; it writes nothing by
-- hand. Functions say no with a value in `outcome`; an exception is a bug.
--
-- Deadlocks are impossible because everybody takes locks in one order: the name
-- of a payment, house accounts and holders on their first use, mains on their
-- first use by owner, rows of accounts by id.

-- What may be called is granted by name.
ALTER DEFAULT PRIVILEGES IN SCHEMA payments REVOKE EXECUTE ON FUNCTIONS FROM wharf_payments;

-- Whom payments knows. Signin owns the people; this is what a statement shows.
CREATE TABLE holder (
    id         uuid PRIMARY KEY,
    email      text,
    -- The last event that said so: what was told before it is not believed after it.
    told_at    bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE account (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- main: a user's wallet, one per currency. further: accounts that users open
    -- and name themselves. house: ours.
    kind       text NOT NULL CONSTRAINT account_kind CHECK (kind IN ('main', 'further', 'house')),
    currency   text NOT NULL CONSTRAINT account_currency CHECK (currency ~ '^[A-Z]{3}$'),
    owner      uuid REFERENCES holder,
    name       text,
    type       text CONSTRAINT account_type CHECK (type IN ('DEBIT', 'LOAN', 'CREDIT')),
    balance    bigint,
    held       bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT account_not_overdrawn CHECK (held >= 0 AND balance >= held),
    CONSTRAINT account_within_limit CHECK (balance <= 1000000000000),
    CONSTRAINT account_shape CHECK (
        CASE kind
            WHEN 'main'    THEN owner IS NOT NULL AND name IS NULL AND type IS NULL
            WHEN 'further' THEN owner IS NOT NULL AND name IS NOT NULL AND type IS NOT NULL
            WHEN 'house'   THEN owner IS NULL AND name IS NOT NULL AND type IS NULL
        END
        AND (kind = 'house') = (balance IS NULL)
        AND (kind = 'house') = (held IS NULL)
    ),
    -- What lets a transfer prove that both its sides speak its currency.
    CONSTRAINT account_in_currency UNIQUE (id, currency)
) WITH (fillfactor = 70); -- room for a balance to change in place

CREATE UNIQUE INDEX account_one_main ON account (owner, currency) WHERE kind = 'main';
CREATE UNIQUE INDEX account_name_free ON account (name) WHERE kind = 'further';
CREATE UNIQUE INDEX account_one_house ON account (name, currency) WHERE kind = 'house';
CREATE INDEX account_of_owner ON account (owner, created_at) WHERE kind = 'further';

CREATE TABLE transfer (
    -- Chosen by whoever asked for it: the idempotency key.
    id             uuid PRIMARY KEY,
    -- Drawn while both accounts are locked, so per account it is the order of events.
    seq            bigint GENERATED ALWAYS AS IDENTITY,
    kind           text NOT NULL CONSTRAINT transfer_kind CHECK (kind IN (
                       'payment', 'refund', 'promo_activation', 'promo_generation',
                       'opening', 'deposit', 'withdrawal', 'payout', 'send', 'sale', 'loss')),
    debit          uuid NOT NULL,
    credit         uuid NOT NULL,
    amount         bigint NOT NULL CONSTRAINT transfer_amount CHECK (amount BETWEEN 1 AND 1000000000000),
    currency       text NOT NULL,
    refund_of      uuid REFERENCES transfer,
    reference      text,
    description    text,
    -- The balance it left behind; none for a house account.
    debit_balance  bigint,
    credit_balance bigint,
    created_at     timestamptz NOT NULL,
    CONSTRAINT transfer_two_accounts CHECK (debit <> credit),
    CONSTRAINT transfer_refund_names_first CHECK ((kind = 'refund') = (refund_of IS NOT NULL)),
    CONSTRAINT transfer_debit FOREIGN KEY (debit, currency) REFERENCES account (id, currency),
    CONSTRAINT transfer_credit FOREIGN KEY (credit, currency) REFERENCES account (id, currency)
);

CREATE INDEX transfer_of_debit ON transfer (debit, seq);
CREATE INDEX transfer_of_credit ON transfer (credit, seq);
CREATE INDEX transfer_refunds ON transfer (refund_of) WHERE refund_of IS NOT NULL;

-- What a payee owns and cannot spend yet. Gone once nothing is left of it.
CREATE TABLE hold (
    payment uuid PRIMARY KEY REFERENCES transfer,
    account uuid NOT NULL REFERENCES account,
    amount  bigint NOT NULL CONSTRAINT hold_of_something CHECK (amount > 0),
    until   timestamptz NOT NULL
);

CREATE INDEX hold_of_account ON hold (account, until);
CREATE INDEX hold_due ON hold (until);

-- Payments that were called off before they were made.
CREATE TABLE voided (
    payment   uuid PRIMARY KEY,
    voided_at timestamptz NOT NULL DEFAULT now()
);

-- A payment from one user to another, as it stands now.
CREATE VIEW payment AS
SELECT
    transfer.id,
    payer.owner AS payer,
    payee.owner AS payee,
    transfer.amount,
    transfer.currency,
    transfer.reference,
    (SELECT coalesce(sum(amount), 0)::bigint FROM transfer AS refund WHERE refund_of = transfer.id) AS refunded,
    (SELECT coalesce(sum(amount), 0)::bigint FROM hold WHERE payment = transfer.id AND until > now()) AS held,
    transfer.created_at
FROM transfer
JOIN account AS payer ON payer.id = transfer.debit
JOIN account AS payee ON payee.id = transfer.credit
WHERE transfer.kind = 'payment';

-- Holds for everybody, the owner of the tables too.
CREATE FUNCTION forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a % is never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER transfer_is_final BEFORE UPDATE OR DELETE ON transfer
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER transfer_is_not_emptied BEFORE TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- What came of an attempt to move money. `outcome` is 'moved', 'replayed' (it had
-- moved before) or the word for why not.
CREATE TYPE movement AS (
    outcome        text,
    id             uuid,
    amount         bigint,
    debit_balance  bigint,
    credit_balance bigint,
    created_at     timestamptz
);

CREATE FUNCTION refused(reason text) RETURNS movement LANGUAGE sql IMMUTABLE AS $$
    SELECT reason, NULL::uuid, NULL::bigint, NULL::bigint, NULL::bigint, NULL::timestamptz
$$;

CREATE FUNCTION house_account(house text, in_currency text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    found uuid;
BEGIN
    SELECT id INTO found FROM account WHERE kind = 'house' AND name = house AND currency = in_currency;
    IF found IS NULL THEN
        INSERT INTO account (kind, name, currency) VALUES ('house', house, in_currency)
        ON CONFLICT DO NOTHING;
        SELECT id INTO found FROM account WHERE kind = 'house' AND name = house AND currency = in_currency;
    END IF;
    RETURN found;
END $$;

-- Two mains are asked for in the order of their owners.
CREATE FUNCTION main_account(of_owner uuid, in_currency text) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    found uuid;
BEGIN
    SELECT id INTO found FROM account WHERE kind = 'main' AND owner = of_owner AND currency = in_currency;
    IF found IS NULL THEN
        INSERT INTO holder (id) VALUES (of_owner) ON CONFLICT DO NOTHING;
        INSERT INTO account (kind, owner, currency, balance, held) VALUES ('main', of_owner, in_currency, 0, 0)
        ON CONFLICT DO NOTHING;
        SELECT id INTO found FROM account WHERE kind = 'main' AND owner = of_owner AND currency = in_currency;
    END IF;
    RETURN found;
END $$;

-- Frees what an account's holds no longer hold. The account's row is locked.
CREATE FUNCTION free_due_holds(of_account uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    freed bigint;
BEGIN
    WITH due AS (
        DELETE FROM hold WHERE account = of_account AND until <= now() RETURNING amount
    )
    SELECT coalesce(sum(amount), 0) INTO freed FROM due;
    IF freed > 0 THEN
        UPDATE account SET held = held - freed WHERE id = of_account;
    END IF;
    RETURN freed;
END $$;

-- The one place where money moves: every other function ends here.
CREATE FUNCTION book(
    transfer_id uuid,
    of_kind text,
    from_account uuid,
    to_account uuid,
    of_amount bigint,
    in_currency text,
    for_reference text DEFAULT NULL,
    described text DEFAULT NULL,
    refunding uuid DEFAULT NULL,
    held_until timestamptz DEFAULT NULL
) RETURNS movement LANGUAGE plpgsql AS $$
DECLARE
    locked account;
    payer account;
    payee account;
    earlier transfer;
    written transfer;
    from_hold bigint := 0;
BEGIN
    IF from_account = to_account THEN
        RETURN refused('same_account');
    END IF;
    FOR locked IN
        SELECT * FROM account WHERE id IN (from_account, to_account) AND kind <> 'house'
        ORDER BY id FOR NO KEY UPDATE
    LOOP
        IF locked.id = from_account THEN payer := locked; ELSE payee := locked; END IF;
    END LOOP;

    SELECT * INTO earlier FROM transfer WHERE id = transfer_id;
    IF earlier.id IS NULL THEN
        IF refunding IS NOT NULL THEN
            SELECT least(amount, of_amount) INTO from_hold FROM hold WHERE payment = refunding;
            from_hold := coalesce(from_hold, 0);
        END IF;
        -- A hold that is over counts as over, swept or not.
        IF payer.balance - payer.held < of_amount - from_hold THEN
            payer.held := payer.held - free_due_holds(from_account);
            -- The refunded payment's own hold may just have become free money.
            PERFORM FROM hold WHERE payment = refunding;
            IF NOT FOUND THEN
                from_hold := 0;
            END IF;
        END IF;
        IF payer.balance - payer.held < of_amount - from_hold THEN
            RETURN refused('insufficient_funds');
        END IF;
        IF payee.balance + of_amount > 1000000000000 THEN
            RETURN refused('limit_reached');
        END IF;

        INSERT INTO transfer (id, kind, debit, credit, amount, currency, refund_of, reference, description,
                              debit_balance, credit_balance, created_at)
        VALUES (transfer_id, of_kind, from_account, to_account, of_amount, in_currency, refunding, for_reference,
                described, payer.balance - of_amount, payee.balance + of_amount, clock_timestamp())
        ON CONFLICT (id) DO NOTHING
        RETURNING * INTO written;
    END IF;

    IF written.id IS NULL THEN
        -- Between other accounts the same id may have been taken since the look above.
        SELECT * INTO earlier FROM transfer WHERE id = transfer_id;
        IF (earlier.kind, earlier.debit, earlier.credit, earlier.amount, earlier.reference, earlier.refund_of)
            IS DISTINCT FROM (of_kind, from_account, to_account, of_amount, for_reference, refunding)
        THEN
            RETURN refused('id_taken');
        END IF;
        RETURN ROW('replayed', earlier.id, earlier.amount, earlier.debit_balance, earlier.credit_balance,
                   earlier.created_at)::movement;
    END IF;

    UPDATE account
    SET balance = balance + CASE WHEN id = to_account THEN of_amount ELSE -of_amount END,
        held = held + CASE
            WHEN id = from_account THEN -from_hold
            WHEN held_until IS NOT NULL THEN of_amount
            ELSE 0
        END
    WHERE id IN (payer.id, payee.id);

    IF from_hold > 0 THEN
        DELETE FROM hold WHERE payment = refunding AND amount = from_hold;
        UPDATE hold SET amount = amount - from_hold WHERE payment = refunding;
    END IF;
    IF held_until IS NOT NULL THEN
        INSERT INTO hold (payment, account, amount, until) VALUES (transfer_id, to_account, of_amount, held_until);
    END IF;

    RETURN ROW('moved', written.id, written.amount, written.debit_balance, written.credit_balance,
               written.created_at)::movement;
END $$;

-- While a payment's name is locked, it is neither made nor called off elsewhere.
CREATE FUNCTION lock_name(payment uuid) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended(payment::text, 0))
$$;

-- One user pays another out of their mains.
CREATE FUNCTION pay(
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
    RETURN book(payment, 'payment', from_account, to_account, of_amount, in_currency, for_reference, described,
                NULL, held_until);
END $$;

-- Gives a transfer back, all that is left of it when no amount is named. When
-- nothing can be given, `amount` is what is left. Between two house accounts the
-- caller sees to it that one transfer is refunded by one transaction at a time.
CREATE FUNCTION give_back(
    refund_id uuid,
    original transfer,
    wanted bigint,
    described text
) RETURNS movement LANGUAGE plpgsql AS $$
DECLARE
    earlier transfer;
    remaining bigint;
    answer movement;
BEGIN
    PERFORM FROM account WHERE id IN (original.debit, original.credit) AND kind <> 'house'
    ORDER BY id FOR NO KEY UPDATE;
    SELECT * INTO earlier FROM transfer WHERE id = refund_id;
    IF earlier.refund_of = original.id AND wanted IS NULL THEN
        wanted := earlier.amount;
    ELSIF earlier.id IS NULL THEN
        SELECT original.amount - coalesce(sum(amount), 0) INTO remaining FROM transfer WHERE refund_of = original.id;
        IF remaining = 0 OR wanted > remaining THEN
            answer := refused('nothing_left');
            answer.amount := remaining;
            RETURN answer;
        END IF;
        wanted := coalesce(wanted, remaining);
    END IF;
    RETURN book(refund_id, 'refund', original.credit, original.debit, coalesce(wanted, original.amount),
                original.currency, original.reference, described, original.id);
END $$;

CREATE FUNCTION refund(refund_id uuid, payment uuid, wanted bigint, described text)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    original transfer;
BEGIN
    SELECT * INTO original FROM transfer WHERE id = payment AND kind = 'payment';
    IF original.id IS NULL THEN
        RETURN refused('unknown_payment');
    END IF;
    RETURN give_back(refund_id, original, wanted, described);
END $$;

-- Moves the end of a hold. What is no longer held stays free.
CREATE FUNCTION hold_until(of_payment uuid, moment timestamptz)
RETURNS SETOF payment LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    UPDATE hold SET until = moment WHERE hold.payment = of_payment AND until > now();
    RETURN QUERY SELECT * FROM payment WHERE id = of_payment;
END $$;

CREATE FUNCTION release(of_payment uuid)
RETURNS SETOF payment LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    freed hold;
BEGIN
    -- The account first, as everybody does.
    PERFORM FROM account WHERE id = (SELECT account FROM hold WHERE hold.payment = of_payment) FOR NO KEY UPDATE;
    DELETE FROM hold WHERE hold.payment = of_payment RETURNING * INTO freed;
    UPDATE account SET held = account.held - freed.amount WHERE id = freed.account;
    RETURN QUERY SELECT * FROM payment WHERE id = of_payment;
END $$;

-- Frees holds whose time is over and says how many. Accounts that are busy are
-- passed over: whoever keeps them busy frees their holds if that matters.
CREATE FUNCTION release_due(at_most int)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    due uuid[];
    locked uuid[];
    freed int;
BEGIN
    SELECT array_agg(payment) INTO due
    FROM (SELECT payment FROM hold WHERE until <= now() ORDER BY until LIMIT at_most) AS first;
    SELECT array_agg(id) INTO locked
    FROM (
        SELECT id FROM account WHERE id IN (SELECT account FROM hold WHERE payment = ANY (due))
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    ) AS free;
    WITH gone AS (
        DELETE FROM hold WHERE payment = ANY (due) AND account = ANY (locked) AND until <= now()
        RETURNING account, amount
    ), per_account AS (
        SELECT gone.account, sum(gone.amount) AS amount FROM gone GROUP BY gone.account
    ), updated AS (
        UPDATE account SET held = held - per_account.amount FROM per_account WHERE id = per_account.account
    )
    SELECT count(*) INTO freed FROM gone;
    RETURN freed;
END $$;

-- The payment if it was made; otherwise it never will be.
CREATE FUNCTION void_payment(of_payment uuid)
RETURNS SETOF payment LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    PERFORM lock_name(of_payment);
    RETURN QUERY SELECT * FROM payment WHERE id = of_payment;
    IF NOT FOUND THEN
        INSERT INTO voided (payment) VALUES (of_payment) ON CONFLICT DO NOTHING;
    END IF;
END $$;

-- Takes note of a user, before or after their first use, and says which their main
-- is. A later e-mail wins; whoever tells of none knows of none.
CREATE FUNCTION note_holder(of_user uuid, with_email text, at_seq bigint, in_currency text)
RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    INSERT INTO holder (id, email, told_at) VALUES (of_user, with_email, at_seq)
    ON CONFLICT (id) DO UPDATE SET email = coalesce(excluded.email, holder.email), told_at = excluded.told_at
    WHERE excluded.told_at > holder.told_at;
    RETURN main_account(of_user, in_currency);
END $$;

REVOKE ALL ON holder, account, transfer, hold, voided, payment FROM wharf_payments;
GRANT SELECT ON holder, account, transfer, hold, voided, payment TO wharf_payments;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pay, refund, hold_until, release, release_due, void_payment, note_holder TO wharf_payments;
