-- Refunds that were refused, until they succeed or a person resolves them.

-- The provider is asked this often before a person has to look.
CREATE OR REPLACE FUNCTION max_refusals() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 10';

-- A refusal of a wallet's refund that comes so often has an alert, too.
CREATE OR REPLACE FUNCTION is_alarming(it stuck_refund) RETURNS bool LANGUAGE sql IMMUTABLE AS $$
    SELECT it.tries >= CASE it.kind WHEN 'wallet' THEN 3 ELSE max_refusals() END
$$;

-- Whether the provider is no longer asked to send it back.
CREATE OR REPLACE FUNCTION is_stuck(refund text) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM stuck_refund AS it WHERE id = refund AND resolved_at IS NULL AND tries >= max_refusals())
$$;

-- A checkout as statements read it: times as milliseconds. A stuck refund is not tried again before an admin says so.
CREATE OR REPLACE VIEW checkout_card AS
SELECT
    id,
    opener,
    reference,
    customer,
    owner,
    amount,
    currency,
    description,
    email,
    method,
    status,
    psp_id,
    link,
    scan,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_at,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM updated_at) * 1000)::bigint AS updated_at,
    coalesce((
        SELECT array_agg(psp_payment.id ORDER BY psp_payment.id) FROM psp_payment
        WHERE psp_payment.checkout = checkout.id AND psp_payment.verdict = 'returning'
            AND NOT is_stuck(psp_payment.id)
    ), '{}') AS to_return
FROM checkout;

CREATE OR REPLACE FUNCTION note_refusal(
    of_kind text, refund text, of_payment uuid, of_amount bigint, in_currency text, described text, why text
) RETURNS void LANGUAGE sql AS $$
    -- It had ended, and is owed again because a dispute about its payment was won.
    DELETE FROM stuck_refund WHERE id = refund AND resolution = 'refunded';
    INSERT INTO stuck_refund AS it (id, kind, payment, amount, currency, description, refusal)
    VALUES (refund, of_kind, of_payment, of_amount, in_currency, described, why)
    ON CONFLICT (id) DO UPDATE SET tries = it.tries + 1, last_at = now(), refusal = excluded.refusal
    WHERE it.resolved_at IS NULL
$$;

CREATE OR REPLACE FUNCTION resolve_stuck(refund text, how text) RETURNS void LANGUAGE sql AS $$
    UPDATE stuck_refund SET resolved_at = now(), resolution = how WHERE id = refund AND resolved_at IS NULL
$$;

-- The provider refuses to send a payment back. Parts of it may have gone back before: `still_there` is the rest that the
-- provider reports, if it does.
DROP FUNCTION IF EXISTS note_refused_attempt(uuid, text, text);
CREATE OR REPLACE FUNCTION note_refused_attempt(
    checkout_id uuid, attempt text, why text, still_there bigint DEFAULT NULL
)
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    known psp_payment;
BEGIN
    PERFORM FROM checkout WHERE id = checkout_id FOR NO KEY UPDATE;
    SELECT * INTO known FROM psp_payment WHERE id = attempt AND checkout = checkout_id AND verdict = 'returning';
    IF known.id IS NULL THEN
        RETURN false;
    END IF;
    PERFORM note_refusal('attempt', attempt, checkout_id, coalesce(still_there, known.amount), known.currency, NULL,
                         why);
    RETURN true;
END $$;

-- The provider refuses to send a part back.
CREATE OR REPLACE FUNCTION note_refused_part(part uuid, why text)
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it part_refund;
BEGIN
    UPDATE part_refund SET refusal = why WHERE id = part AND status = 'owed' RETURNING * INTO it;
    IF it.id IS NULL THEN
        RETURN false;
    END IF;
    PERFORM note_refusal('part', part::text, it.checkout, it.amount,
                         (SELECT currency FROM checkout WHERE id = it.checkout), NULL, why);
    RETURN true;
END $$;

-- A refund that the provider sent or took back in the end is not stuck.
CREATE OR REPLACE FUNCTION end_stuck() RETURNS trigger LANGUAGE plpgsql
SET search_path = payments, pg_temp AS $$
BEGIN
    PERFORM resolve_stuck(NEW.id::text, 'refunded');
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER psp_payment_is_back AFTER UPDATE OF verdict ON psp_payment
    FOR EACH ROW WHEN (NEW.verdict = 'returned' AND OLD.verdict <> 'returned') EXECUTE FUNCTION end_stuck();
CREATE OR REPLACE TRIGGER part_refund_is_back AFTER UPDATE OF status ON part_refund
    FOR EACH ROW WHEN (NEW.status <> 'owed' AND OLD.status = 'owed') EXECUTE FUNCTION end_stuck();

-- Refunds a payment between users. A refusal is recorded, because the caller retries for ever and no person would see it.
CREATE OR REPLACE FUNCTION refund(refund_id uuid, payment uuid, wanted bigint, described text)
RETURNS movement LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    original transfer;
    answer movement;
    earlier transfer;
BEGIN
    SELECT * INTO original FROM transfer WHERE id = payment AND kind = 'payment';
    IF original.id IS NULL THEN
        RETURN refused('unknown_payment');
    END IF;
    answer := give_back(refund_id, original, wanted, described);
    IF answer.outcome = 'insufficient_funds' THEN
        -- Unclaimed money that does not suffice stays there: otherwise each retry of the caller would move it there and back.
        BEGIN
            IF bring_back(original.credit, coalesce(wanted, original.amount)) THEN
                answer := give_back(refund_id, original, wanted, described);
                IF answer.outcome <> 'moved' THEN
                    RAISE EXCEPTION USING ERRCODE = 'WH001';
                END IF;
            END IF;
        EXCEPTION WHEN SQLSTATE 'WH001' THEN
            NULL;
        END;
    END IF;
    IF answer.outcome IN ('insufficient_funds', 'limit_reached') THEN
        PERFORM note_refusal('wallet', refund_id::text, payment, coalesce(wanted, original.amount - (
            SELECT coalesce(sum(amount), 0)::bigint FROM transfer WHERE refund_of = payment)), original.currency,
            described, answer.outcome);
    ELSIF answer.outcome IN ('moved', 'nothing_left') THEN
        -- The payment may have gone back by another refund.
        PERFORM resolve_stuck(refund_id::text, 'refunded');
    ELSIF answer.outcome = 'id_taken' AND EXISTS (
        SELECT FROM stuck_refund AS it
        WHERE it.id = refund_id::text AND it.payment = original.id AND it.resolution = 'house_funded'
            AND coalesce(wanted, it.amount) = it.amount)
    THEN
        -- The house has paid it meanwhile, in part or in full.
        SELECT * INTO earlier FROM transfer WHERE id = refund_id;
        answer := ROW('replayed', refund_id, coalesce(wanted, (
            SELECT it.amount FROM stuck_refund AS it WHERE it.id = refund_id::text)), NULL, NULL,
            earlier.created_at)::movement;
    END IF;
    RETURN answer;
END $$;

-- An admin settles a stuck refund. Between wallets the payee pays with their free and unclaimed money, and the house pays
-- the rest; a payment that the provider does not send back was paid by bank. Answers 'moved', 'replayed', 'proposed' or why
-- not.
CREATE OR REPLACE FUNCTION settle_stuck(refund text, by_admin uuid, why text, alone_up_to bigint)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it stuck_refund;
    original transfer;
    source account;
    beneficiary uuid;
    there bigint;
    outcome text := 'moved';
BEGIN
    PERFORM lock_acts(by_admin);
    SELECT * INTO it FROM stuck_refund WHERE id = refund;
    IF it.kind = 'wallet' THEN
        SELECT * INTO original FROM transfer WHERE id = it.payment;
        PERFORM FROM account WHERE id IN (original.debit, original.credit) AND kind <> 'house'
        ORDER BY id FOR NO KEY UPDATE;
        SELECT owner INTO beneficiary FROM account WHERE id = original.debit;
    ELSE
        SELECT owner INTO beneficiary FROM checkout WHERE id = it.payment FOR NO KEY UPDATE;
    END IF;
    SELECT * INTO it FROM stuck_refund WHERE id = refund FOR UPDATE;
    IF it.id IS NULL THEN
        RETURN 'unknown_refund';
    ELSIF it.resolved_at IS NOT NULL THEN
        RETURN 'replayed';
    ELSIF it.kind = 'part' THEN
        -- Later parts are told apart by the sum that the provider reports as sent back.
        RETURN 'settled_at_provider';
    END IF;
    IF NOT may_act('refund', it.id, 'settled', it.amount, it.currency, beneficiary, by_admin, why,
                   alone_up_to - done_alone(by_admin, 'refund', 'settled', it.currency))
    THEN
        RETURN 'proposed';
    END IF;
    IF it.kind = 'wallet' THEN
        -- Its caller may have sent it back another way since.
        IF it.amount > original.amount - (
            SELECT coalesce(sum(amount), 0) FROM transfer WHERE refund_of = original.id)
        THEN
            RETURN 'refunded_otherwise';
        END IF;
        PERFORM free_due_holds(original.credit);
        BEGIN
            PERFORM bring_back(original.credit, it.amount);
            -- The steps that can be refused come first; a refusal of one undoes the others.
            outcome := return_fee(original, it.amount);
            SELECT * INTO source FROM account WHERE id = original.credit;
            there := greatest(0, least(it.amount, source.balance - source.held + coalesce((
                SELECT amount FROM hold WHERE payment = original.id), 0)));
            IF there = it.amount AND outcome = 'moved' THEN
                outcome := (give_back(it.id::uuid, original, it.amount, it.description)).outcome;
            ELSIF outcome = 'moved' THEN
                outcome := (book(it.id::uuid, 'refund', house_account('losses', it.currency), original.debit,
                                 it.amount - there, it.currency, original.reference, it.description,
                                 original.id)).outcome;
                IF outcome = 'moved' AND there > 0 THEN
                    outcome := (give_back(gen_random_uuid(), original, there, it.description)).outcome;
                END IF;
            END IF;
            IF outcome <> 'moved' THEN
                RAISE EXCEPTION USING ERRCODE = 'WH001';
            END IF;
        EXCEPTION WHEN SQLSTATE 'WH001' THEN
            RETURN outcome;
        END;
        PERFORM resolve_stuck(it.id, 'house_funded');
    ELSE
        PERFORM book(gen_random_uuid(), 'payout', house_account('psp', it.currency),
                     house_account('external', it.currency), it.amount, it.currency, it.id, why);
        PERFORM resolve_stuck(it.id, 'settled_outside');
        UPDATE psp_payment SET verdict = 'returned' WHERE id = it.id AND verdict = 'returning';
    END IF;
    PERFORM note_act('refund', it.id, 'settled', it.amount, it.currency, by_admin, why);
    RETURN 'moved';
END $$;

-- Records that an admin had a refund tried again, and the reason.
DROP FUNCTION IF EXISTS note_retry(text, uuid);
CREATE OR REPLACE FUNCTION note_retry(refund text, by_admin uuid, why text DEFAULT NULL)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
    SELECT note_act('refund', id, 'retried', amount, currency, by_admin, why)
    FROM stuck_refund WHERE id = refund AND resolved_at IS NULL
$$;

-- The provider is asked again, as if it had never refused.
CREATE OR REPLACE FUNCTION retry_stuck(refund text)
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it stuck_refund;
BEGIN
    SELECT * INTO it FROM stuck_refund WHERE id = refund AND resolved_at IS NULL;
    PERFORM FROM checkout WHERE id = it.payment FOR NO KEY UPDATE;
    UPDATE stuck_refund SET tries = 0, alerted_at = NULL WHERE id = it.id AND resolved_at IS NULL AND kind <> 'wallet';
    IF FOUND THEN
        UPDATE checkout SET visits = 0, visit_at = now() + interval '10 seconds' WHERE id = it.payment;
    END IF;
    RETURN it.id IS NOT NULL;
END $$;

-- Refunds that a person has to look at and that no alert has named.
CREATE OR REPLACE FUNCTION alert_stuck(at_most int)
RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    RETURN QUERY
    UPDATE stuck_refund AS it SET alerted_at = now()
    WHERE id IN (
        SELECT id FROM stuck_refund AS other
        WHERE resolved_at IS NULL AND alerted_at IS NULL AND is_alarming(other)
        ORDER BY first_at LIMIT at_most FOR NO KEY UPDATE SKIP LOCKED)
    RETURNING format('%s of %s %s for payment %s: %s', it.id, it.amount, it.currency, it.payment, it.refusal);
END $$;

REVOKE ALL ON FUNCTION max_refusals, is_alarming, is_stuck, note_refusal, resolve_stuck, note_refused_attempt,
    note_refused_part, end_stuck, refund, settle_stuck, note_retry, retry_stuck, alert_stuck FROM PUBLIC;
GRANT EXECUTE ON FUNCTION max_refusals, is_alarming, is_stuck, note_refused_attempt, note_refused_part, refund,
    settle_stuck, note_retry, retry_stuck, alert_stuck TO wharf_payments;
