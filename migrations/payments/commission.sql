-- The part of payments between users that the house takes, and gives back with a refund.

-- The present state of a payment from one user to another. The payee cannot spend the house's part either.
CREATE OR REPLACE VIEW payment AS
SELECT
    transfer.id,
    payer.owner AS payer,
    payee.owner AS payee,
    transfer.amount,
    transfer.currency,
    transfer.reference,
    (SELECT coalesce(sum(amount), 0)::bigint FROM transfer AS refund WHERE refund_of = transfer.id) AS refunded,
    coalesce((
        SELECT hold.amount + coalesce((SELECT kept FROM fee WHERE fee.payment = transfer.id), 0)
        FROM hold WHERE hold.payment = transfer.id AND until > now()
    ), 0) AS held,
    transfer.created_at
FROM transfer
JOIN account AS payer ON payer.id = transfer.debit
JOIN account AS payee ON payee.id = transfer.credit
WHERE transfer.kind = 'payment';

-- The part of an owner, in hundredths of a percent.
CREATE OR REPLACE FUNCTION commission_of(of_owner uuid) RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(
        (SELECT basis_points FROM commission WHERE owner = of_owner ORDER BY id DESC LIMIT 1),
        (SELECT basis_points FROM commission WHERE owner IS NULL ORDER BY id DESC LIMIT 1),
        0);
END $$;

-- Rounded down.
CREATE OR REPLACE FUNCTION fee_of(of_amount bigint, basis_points int) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN of_amount * basis_points / 10000;

-- Gives the fee on the part of a payment that is about to be refunded back to the payee. Repeated: no effect. The caller
-- has locked the accounts of the payment. Answers 'moved' or why not.
CREATE OR REPLACE FUNCTION return_fee(original transfer, wanted bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    it fee;
    due bigint;
    back bigint;
    outcome text;
BEGIN
    SELECT * INTO it FROM fee WHERE payment = original.id;
    due := fee_of(original.amount - wanted - (
        SELECT coalesce(sum(amount), 0)::bigint FROM transfer WHERE refund_of = original.id), it.basis_points);
    back := it.kept - due;
    IF back IS NULL OR back <= 0 THEN
        RETURN 'moved';
    END IF;
    outcome := (book(gen_random_uuid(), 'fee_return', house_account('fees', original.currency), original.credit, back,
                     original.currency, original.reference, 'Commission of a refund')).outcome;
    IF outcome = 'moved' THEN
        UPDATE hold SET amount = amount + back WHERE payment = original.id;
        IF FOUND THEN
            UPDATE account SET held = held + back WHERE id = original.credit;
        END IF;
        UPDATE fee SET kept = due WHERE payment = original.id;
    END IF;
    RETURN outcome;
END $$;

-- Refunds a transfer: the amount, or all that is left of it when no amount is named. When the refund is refused, `amount`
-- is the rest that can be refunded. Between two house accounts the caller ensures that one transfer is refunded by one
-- transaction at a time.
CREATE OR REPLACE FUNCTION give_back(refund_id uuid, original transfer, wanted bigint, described text)
RETURNS movement LANGUAGE plpgsql AS $$
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
        PERFORM FROM fee WHERE payment = original.id AND kept > 0;
        IF FOUND THEN
            -- Together or not at all: a refusal of the refund takes the part of the house back, too.
            BEGIN
                answer := refused(return_fee(original, wanted));
                IF answer.outcome = 'moved' THEN
                    answer := book(refund_id, 'refund', original.credit, original.debit, wanted, original.currency,
                                   original.reference, described, original.id);
                END IF;
                IF answer.outcome <> 'moved' THEN
                    RAISE EXCEPTION USING ERRCODE = 'WH001';
                END IF;
            EXCEPTION WHEN SQLSTATE 'WH001' THEN
                NULL;
            END;
            RETURN answer;
        END IF;
    END IF;
    RETURN book(refund_id, 'refund', original.credit, original.debit, coalesce(wanted, original.amount),
                original.currency, original.reference, described, original.id);
END $$;

-- Sets the part of an owner, or of all owners who have none of their own. Answers the number of the change.
CREATE OR REPLACE FUNCTION set_commission(of_owner uuid, points int, by_admin uuid, why text)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
    INSERT INTO commission (owner, basis_points, set_by, reason) VALUES (of_owner, points, by_admin, why)
    RETURNING id
$$;

REVOKE ALL ON FUNCTION commission_of, fee_of, return_fee, give_back, set_commission FROM PUBLIC;
GRANT EXECUTE ON FUNCTION commission_of, fee_of, set_commission TO wharf_payments;
