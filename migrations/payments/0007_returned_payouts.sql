-- A withdrawal that could not be paid out, or came back from the bank, returns to the account it left.

ALTER TABLE payout
    ADD returned_at timestamptz,
    ADD returned_by uuid,
    ADD CONSTRAINT payout_returned_by_somebody CHECK ((returned_at IS NULL) = (returned_by IS NULL));

DROP INDEX payout_open;
CREATE INDEX payout_open ON payout (withdrawal) WHERE paid_at IS NULL AND returned_at IS NULL;

CREATE OR REPLACE VIEW payout_card AS
SELECT
    transfer.id,
    transfer.seq,
    account.owner,
    holder.email,
    account.name AS account,
    transfer.amount,
    transfer.currency,
    (extract(epoch FROM transfer.created_at) * 1000)::bigint AS created_at,
    (extract(epoch FROM payout.paid_at) * 1000)::bigint AS paid_at,
    payout.paid_by,
    (extract(epoch FROM payout.returned_at) * 1000)::bigint AS returned_at,
    payout.returned_by
FROM payout
JOIN transfer ON transfer.id = payout.withdrawal
JOIN account ON account.id = transfer.debit
JOIN holder ON holder.id = account.owner;

-- Somebody has paid a withdrawal out. Again, or after it returned: no effect.
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

-- The money goes back the way it went: from outside, if it was there, and to the account. Answers
-- 'moved', 'replayed' or why not.
CREATE FUNCTION return_payout(of_withdrawal uuid, by_user uuid)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = payments, pg_temp AS $$
DECLARE
    standing payout;
    asked transfer;
    paid transfer;
    answer movement;
BEGIN
    SELECT * INTO standing FROM payout WHERE withdrawal = of_withdrawal FOR NO KEY UPDATE;
    IF standing.withdrawal IS NULL THEN
        RETURN 'unknown_payout';
    END IF;
    IF standing.returned_at IS NOT NULL THEN
        RETURN 'replayed';
    END IF;
    SELECT * INTO asked FROM transfer WHERE id = of_withdrawal;
    answer := give_back(gen_random_uuid(), asked, NULL, 'payout returned');
    IF answer.outcome <> 'moved' THEN
        RETURN answer.outcome;
    END IF;
    IF standing.paid_at IS NOT NULL THEN
        SELECT * INTO paid FROM transfer
        WHERE debit = asked.credit AND seq > asked.seq AND kind = 'payout' AND reference = of_withdrawal::text;
        PERFORM give_back(gen_random_uuid(), paid, NULL, 'payout returned');
    END IF;
    UPDATE payout SET returned_at = now(), returned_by = by_user WHERE withdrawal = of_withdrawal;
    RETURN 'moved';
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA payments FROM PUBLIC;
GRANT EXECUTE ON FUNCTION return_payout TO wharf_payments;
