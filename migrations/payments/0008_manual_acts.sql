-- What admins do with money by hand, what users owe, and whose money this database holds.

-- Sandbox money has no value and real money has. The first copy that moves money writes which of the two this
-- database holds, and it is never changed: copies with the other setting move nothing.
CREATE TABLE money_mode (
    is_only    bool PRIMARY KEY DEFAULT true CONSTRAINT money_mode_is_only CHECK (is_only),
    is_sandbox bool NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER money_mode_is_final BEFORE UPDATE OR DELETE ON money_mode
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

-- Only a sandbox opens accounts with money in them, or credits a deposit without a checkout.
INSERT INTO money_mode (is_sandbox)
SELECT true
WHERE EXISTS (SELECT FROM transfer WHERE kind = 'opening')
    OR EXISTS (
        SELECT FROM transfer
        WHERE kind = 'deposit' AND NOT EXISTS (SELECT FROM checkout WHERE checkout.id = transfer.id)
    );

-- Who did what by hand, when and why. An act that needs a second admin is proposed by the first and done by the
-- second.
CREATE TABLE manual_act (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject  text NOT NULL CONSTRAINT manual_act_subject CHECK (
                 subject IN ('payment', 'attempt', 'payout', 'receivable', 'unclaimed', 'refund')),
    -- The id of what was acted on. Of an attempt: the id at the provider.
    about    text NOT NULL,
    act      text NOT NULL,
    stage    text NOT NULL CONSTRAINT manual_act_stage CHECK (stage IN ('proposed', 'done')),
    amount   bigint NOT NULL,
    currency text NOT NULL,
    actor    uuid NOT NULL,
    reason   text,
    acted_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX manual_act_about ON manual_act (subject, about, id);

CREATE TRIGGER manual_act_is_final BEFORE UPDATE OR DELETE ON manual_act
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER manual_acts_are_not_emptied BEFORE TRUNCATE ON manual_act
    FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();

-- What a user owes because the provider took money back that they had spent. The house has advanced it by the
-- transfer of this id.
CREATE TABLE receivable (
    id          uuid PRIMARY KEY REFERENCES transfer,
    owner       uuid NOT NULL REFERENCES holder,
    currency    text NOT NULL,
    amount      bigint NOT NULL CONSTRAINT receivable_of_something CHECK (amount > 0),
    settled     bigint NOT NULL DEFAULT 0,
    written_off bigint NOT NULL DEFAULT 0,
    -- The payment that was taken back.
    checkout    uuid NOT NULL REFERENCES checkout,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT receivable_within_amount CHECK (
        settled >= 0 AND written_off >= 0 AND settled + written_off <= amount)
);

CREATE INDEX receivable_open ON receivable (owner, currency) WHERE settled + written_off < amount;

-- receivable: the house pays for a user. settlement: the user pays it back. Earlier rows obey the narrower rule that
-- this one replaces, so they are not read again.
ALTER TABLE transfer DROP CONSTRAINT transfer_kind;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind CHECK (kind IN (
    'payment', 'refund', 'promo_activation', 'promo_generation', 'opening', 'deposit', 'withdrawal', 'payout', 'send',
    'sale', 'loss', 'receivable', 'settlement', 'unclaimed', 'claim')) NOT VALID;

REVOKE ALL ON money_mode, manual_act, receivable FROM wharf_payments;
GRANT SELECT ON money_mode, manual_act, receivable TO wharf_payments;
