-- Promo codes that the house pays for are made by hand, too.
ALTER TABLE manual_act DROP CONSTRAINT manual_act_subject;
ALTER TABLE manual_act ADD CONSTRAINT manual_act_subject CHECK (
    subject IN ('payment', 'attempt', 'payout', 'receivable', 'unclaimed', 'refund', 'promocode')) NOT VALID;
