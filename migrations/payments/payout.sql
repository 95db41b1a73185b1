-- Withdrawals that an admin pays out, or gives back to the account that they left.

-- A payout as admins read it, moments in milliseconds.
CREATE OR REPLACE VIEW payout_card AS
SELECT
    transfer.id,
    transfer.seq,
    account.owner,
    holder.email,
    account.name AS account,
    transfer.amount,
    transfer.currency,
    millis(transfer.created_at) AS created_at,
    millis(payout.paid_at) AS paid_at,
    payout.paid_by,
    millis(payout.returned_at) AS returned_at,
    payout.returned_by,
    -- Absent of a withdrawal from an account that its user opened.
    destination.id AS destination,
    destination.kind AS destination_kind,
    destination.holder_name,
    destination.account AS destination_account,
    destination.mask,
    millis(payout.approved_at) AS approved_at,
    payout.approved_by,
    CASE
        WHEN payout.returned_at IS NOT NULL AND payout.returned_by = payout.owner THEN 'cancelled'
        WHEN payout.returned_at IS NOT NULL THEN 'returned'
        WHEN payout.paid_at IS NOT NULL THEN 'paid'
        WHEN payout.approved_at IS NOT NULL THEN 'approved'
        ELSE 'open'
    END AS state
FROM payout
JOIN transfer ON transfer.id = payout.withdrawal
JOIN account ON account.id = transfer.debit
JOIN holder ON holder.id = account.owner
LEFT JOIN destination ON destination.id = payout.destination;

-- Records that a withdrawal was paid out. Answers 'moved', 'replayed', 'proposed' or why not.
CREATE OR REPLACE FUNCTION pay_out_by_hand(of_withdrawal uuid, by_admin uuid, why text, alone_up_to bigint)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    standing payout;
    asked transfer;
    recipient uuid;
BEGIN
    SELECT * INTO standing FROM payout WHERE withdrawal = of_withdrawal FOR NO KEY UPDATE;
    IF standing.withdrawal IS NULL THEN
        RETURN 'unknown_payout';
    ELSIF standing.returned_at IS NOT NULL THEN
        RETURN 'payout_returned';
    ELSIF standing.paid_at IS NOT NULL THEN
        RETURN 'replayed';
    END IF;
    SELECT * INTO asked FROM transfer WHERE id = of_withdrawal;
    SELECT owner INTO recipient FROM account WHERE id = asked.debit;
    IF standing.approved_at IS NULL THEN
        -- The owner of a cash-out may still cancel it.
        IF standing.destination IS NOT NULL THEN
            RETURN 'payout_not_approved';
        ELSIF still_owes(recipient, asked.currency, NULL) THEN
            RETURN 'recipient_owes';
        END IF;
        IF NOT may_act('payout', asked.id::text, 'paid', asked.amount, asked.currency, recipient, by_admin, why,
                       alone_up_to - let_go_alone(by_admin, recipient, asked.currency))
        THEN
            RETURN 'proposed';
        END IF;
    END IF;
    UPDATE payout SET paid_at = now(), paid_by = by_admin WHERE withdrawal = of_withdrawal;
    PERFORM book(gen_random_uuid(), 'payout', asked.credit, house_account('external', asked.currency), asked.amount,
                 asked.currency, of_withdrawal::text);
    PERFORM note_act('payout', asked.id::text, 'paid', asked.amount, asked.currency, by_admin, why);
    PERFORM forget_after_payout(recipient);
    RETURN 'moved';
END $$;

-- Returns a withdrawal to its account. One that was approved or paid out may need a second admin: the money would be
-- there twice if the bank has it and did not send it back.
CREATE OR REPLACE FUNCTION return_payout_by_hand(of_withdrawal uuid, by_admin uuid, why text, alone_up_to bigint)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    standing payout;
    asked transfer;
    recipient uuid;
    answer text;
BEGIN
    PERFORM lock_acts(by_admin);
    SELECT * INTO standing FROM payout WHERE withdrawal = of_withdrawal FOR NO KEY UPDATE;
    IF standing.withdrawal IS NULL THEN
        RETURN 'unknown_payout';
    END IF;
    SELECT * INTO asked FROM transfer WHERE id = of_withdrawal;
    SELECT owner INTO recipient FROM account WHERE id = asked.debit;
    IF (standing.paid_at IS NOT NULL OR standing.approved_at IS NOT NULL OR recipient = by_admin)
        AND standing.returned_at IS NULL AND NOT may_act(
        'payout', asked.id::text, 'returned', asked.amount, asked.currency, recipient, by_admin, why,
        alone_up_to - done_alone(by_admin, 'payout', 'returned', asked.currency))
    THEN
        RETURN 'proposed';
    END IF;
    answer := return_payout(of_withdrawal, by_admin);
    IF answer = 'moved' THEN
        PERFORM forget_after_payout(recipient);
        PERFORM note_act('payout', asked.id::text, 'returned', asked.amount, asked.currency, by_admin, why);
    END IF;
    RETURN answer;
END $$;

-- Without a trace and a second admin they are parts of others and no more.
REVOKE EXECUTE ON FUNCTION pay_out, return_payout FROM wharf_payments;
REVOKE ALL ON FUNCTION pay_out_by_hand, return_payout_by_hand FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pay_out_by_hand, return_payout_by_hand TO wharf_payments;
