-- taken_back: the provider took the whole payment back before it had sent the part, so the payer has the money with the rest.
-- The part is owed again when the dispute is won. Earlier rows obey the narrower rule that this one replaces.
ALTER TABLE part_refund DROP CONSTRAINT part_refund_status;
ALTER TABLE part_refund ADD CONSTRAINT part_refund_status CHECK (status IN ('owed', 'done', 'taken_back')) NOT VALID;
