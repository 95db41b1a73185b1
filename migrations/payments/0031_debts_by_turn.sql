-- The sweep looks at debts in turn. From then on it looks at this one again.
ALTER TABLE receivable ADD settle_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX receivable_to_settle ON receivable (settle_at) WHERE settled + written_off < amount;
