-- Acts of admins, and the kind of money that this database holds.

-- Whether this copy and the database speak of the same kind of money. The first copy decides.
CREATE OR REPLACE FUNCTION agree_on_mode(sandbox bool)
RETURNS bool LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
BEGIN
    INSERT INTO money_mode (is_sandbox)
    SELECT sandbox WHERE NOT EXISTS (SELECT FROM money_mode)
    ON CONFLICT DO NOTHING;
    RETURN (SELECT is_sandbox = sandbox FROM money_mode);
END $$;

-- Takes note that a user, known here or not, lost the role of an admin. An event that comes late or twice changes nothing.
CREATE OR REPLACE FUNCTION note_demotion(of_user uuid, at timestamptz)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
    INSERT INTO holder (id, demoted_at) VALUES (of_user, at)
    ON CONFLICT (id) DO UPDATE SET demoted_at = excluded.demoted_at
    WHERE holder.demoted_at IS NULL OR holder.demoted_at < excluded.demoted_at
$$;

-- Whether a proposal counted at a moment: it was made within the week before, and since then the admin was neither demoted nor
-- erased. An admin who is promoted again proposes again.
CREATE OR REPLACE FUNCTION counts(proposal manual_act, at timestamptz) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT proposal.stage = 'proposed' AND proposal.acted_at > at - interval '7 days'
        AND NOT EXISTS (
            SELECT FROM holder
            WHERE id = proposal.actor AND (erased_at <= at OR demoted_at BETWEEN proposal.acted_at AND at))
$$;

-- Whether an admin may act now. Above `alone_up_to`, and for the admin's own benefit, another admin has to have proposed the
-- same act for the same money, and the proposal has to count; otherwise this admin proposes it. The caller has locked what it
-- is about.
CREATE OR REPLACE FUNCTION may_act(
    on_subject text,
    on_id text,
    the_act text,
    of_amount bigint,
    in_currency text,
    beneficiary uuid,
    by_admin uuid,
    why text,
    alone_up_to bigint
) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    proposal manual_act;
BEGIN
    IF of_amount <= alone_up_to AND by_admin IS DISTINCT FROM beneficiary THEN
        RETURN true;
    END IF;
    SELECT * INTO proposal FROM manual_act
    WHERE subject = on_subject AND about = on_id
    ORDER BY id DESC LIMIT 1;
    IF (proposal.act, proposal.amount, proposal.currency) IS NOT DISTINCT FROM (the_act, of_amount, in_currency)
        -- By the clock: the demotion may have come while this waited for its locks.
        AND counts(proposal, clock_timestamp())
    THEN
        RETURN proposal.actor <> by_admin;
    END IF;
    INSERT INTO manual_act (subject, about, act, stage, amount, currency, actor, reason)
    VALUES (on_subject, on_id, the_act, 'proposed', of_amount, in_currency, by_admin, why);
    RETURN false;
END $$;

-- Whether another admin proposed an act right before it was done, for the same money, and the proposal counted then. One's own
-- proposal is no consent.
CREATE OR REPLACE FUNCTION was_agreed(done manual_act) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT (before.act, before.amount, before.currency) = (done.act, done.amount, done.currency)
            AND before.actor <> done.actor AND counts(before, done.acted_at)
        FROM manual_act AS before
        WHERE (before.subject, before.about) = (done.subject, done.about) AND before.id < done.id
        ORDER BY before.id DESC LIMIT 1), false)
$$;

-- Lets one act of an admin end before the next begins, so that each is added to those before. The caller has locked no rows.
CREATE OR REPLACE FUNCTION lock_acts(by_admin uuid) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('acts of ' || by_admin, 0))
$$;

-- What one admin has done alone within a day, of acts that begin with these words: many small ones are a large one.
CREATE OR REPLACE FUNCTION done_alone(by_admin uuid, on_subject text, of_acts text, in_currency text)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(amount), 0)::bigint FROM manual_act AS done
    WHERE actor = by_admin AND acted_at > now() - interval '1 day'
        AND subject = on_subject AND stage = 'done' AND starts_with(act, of_acts) AND currency = in_currency
        AND NOT was_agreed(done)
$$;

CREATE OR REPLACE FUNCTION note_act(
    on_subject text,
    on_id text,
    the_act text,
    of_amount bigint,
    in_currency text,
    by_admin uuid,
    why text
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO manual_act (subject, about, act, stage, amount, currency, actor, reason)
    VALUES (on_subject, on_id, the_act, 'done', of_amount, in_currency, by_admin, why)
$$;

-- Changes the status of a checkout as an admin says. What moves money may need a second admin; money that would be a
-- user's to withdraw is not made by hand at all.
CREATE OR REPLACE FUNCTION change_status_by_hand(
    checkout_id uuid,
    decided_upon_status text,
    new_status text,
    by_admin uuid,
    why text,
    alone_up_to bigint
) RETURNS visited LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it checkout;
    answer visited;
BEGIN
    SELECT * INTO it FROM checkout WHERE id = checkout_id FOR NO KEY UPDATE;
    IF it.id IS NULL OR it.status <> decided_upon_status THEN
        RETURN seen('changed', checkout_id);
    END IF;
    IF new_status = 'approved' AND EXISTS (SELECT FROM account WHERE id = it.credit AND kind <> 'house') THEN
        RETURN seen('not_by_hand', checkout_id);
    END IF;
    IF new_status IN ('approved', 'refunded') AND NOT may_act(
        'payment', it.id::text, new_status, it.amount, it.currency, it.owner, by_admin, why, alone_up_to)
    THEN
        RETURN seen('proposed', checkout_id);
    END IF;
    answer := apply_status(checkout_id, decided_upon_status, new_status);
    IF answer.outcome = 'insufficient_funds' AND bring_back(it.credit, it.amount) THEN
        -- An erased person left it.
        answer := apply_status(checkout_id, decided_upon_status, new_status);
    END IF;
    IF answer.outcome = 'changed_to' THEN
        PERFORM note_act('payment', it.id::text, new_status, it.amount, it.currency, by_admin, why);
    END IF;
    RETURN answer;
END $$;

-- Decides that a disputed payment goes back. No money of ours moves.
CREATE OR REPLACE FUNCTION return_by_hand(checkout_id uuid, attempt text, by_admin uuid, why text)
RETURNS visited LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    it checkout;
    known psp_payment;
    answer visited;
BEGIN
    SELECT * INTO it FROM checkout WHERE id = checkout_id FOR NO KEY UPDATE;
    SELECT * INTO known FROM psp_payment WHERE id = attempt AND checkout = checkout_id AND verdict = 'disputed';
    IF known.id IS NULL THEN
        RETURN seen('changed', checkout_id);
    END IF;
    answer := conclude(checkout_id, it.status, 'disputed', it.status, 'returning', known.id, known.state,
                       known.amount, known.currency, known.refunded);
    PERFORM note_act('attempt', attempt, 'returned', known.amount, known.currency, by_admin, why);
    RETURN answer;
END $$;

REVOKE ALL ON FUNCTION agree_on_mode, note_demotion, counts, may_act, was_agreed, lock_acts, done_alone, note_act,
    change_status_by_hand, return_by_hand FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agree_on_mode, note_demotion, counts, change_status_by_hand, return_by_hand TO wharf_payments;
