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
    payout.returned_by
FROM payout
JOIN transfer ON transfer.id = payout.withdrawal
JOIN account ON account.id = transfer.debit
JOIN holder ON holder.id = account.owner;

-- Records that a withdrawal was paid out. Repeated, or after it was returned: no effect.
CREATE OR REPLACE FUNCTION pay_out(of_withdrawal uuid, by_user uuid)
RETURNS SETOF payout_card LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    asked transfer;
BEGIN
    UPDATE payout SET paid_at = now(), paid_by = by_user
    WHERE withdrawal = of_withdrawal AND paid_at IS NULL AND returned_at IS NULL;
    IF FOUND THEN
        SELECT * INTO asked FROM transfer WHERE id = of_withdrawal;
        PERFORM book(gen_random_uuid(), 'payout', asked.credit, house_account('external', asked.currency),
                     asked.amount, asked.currency, of_withdrawal::text);
    END IF;
    RETURN QUERY SELECT * FROM payout_card WHERE id = of_withdrawal;
END $$;
