-- Lists and sweeps read what they show or need, however much there is.

-- All accounts of one user, of both kinds.
CREATE INDEX account_by_owner ON account (owner, currency) WHERE owner IS NOT NULL;
-- What users still owe, the oldest first. Also finds what a won dispute was about.
CREATE INDEX receivable_by_age ON receivable (created_at, id) WHERE settled + written_off < amount;
CREATE INDEX receivable_of_checkout ON receivable (checkout);
-- Money that erased people left behind, the oldest first.
CREATE INDEX unclaimed_by_age ON unclaimed (updated_at, owner) WHERE amount > 0;
-- What was done about one thing, whichever kind of thing it is.
CREATE INDEX manual_act_of ON manual_act (about, id);

-- What the provider kept by the lines of the file, by currency. Absent of files of the release before: their lines say it.
ALTER TABLE provider_file ADD fees jsonb;
