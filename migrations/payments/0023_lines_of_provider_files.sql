-- Lines of what came again, and of what the provider paid to the bank; and what other lines a file has.

-- return: what had gone back comes again. payout: to the bank account. payout_return: the bank did not take it.
ALTER TABLE provider_line DROP CONSTRAINT provider_line_kind;
ALTER TABLE provider_line ADD CONSTRAINT provider_line_kind CHECK (
    kind IN ('payment', 'refund', 'chargeback', 'return', 'payout', 'payout_return')) NOT VALID;

-- How many lines of each other kind there were, by the provider's word.
ALTER TABLE provider_file ADD others jsonb NOT NULL DEFAULT '{}';
