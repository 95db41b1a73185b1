-- What the house takes of payments between users: a part of what the payee gets.

-- The part, by owner. The latest row of an owner counts, so this is also who changed it, when and why.
CREATE TABLE commission (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Absent: of all owners who have no part of their own.
    owner        uuid,
    -- Hundredths of a percent. Absent: as of all owners, from then on.
    basis_points int CONSTRAINT commission_leaves_a_half CHECK (basis_points BETWEEN 0 AND 5000),
    set_by       uuid NOT NULL,
    reason       text NOT NULL,
    set_at       timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX commission_of_owner ON commission (owner, id);

CREATE TRIGGER commission_is_final BEFORE UPDATE OR DELETE ON commission
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

-- What the house has of a payment: the part of what was not refunded, rounded down.
CREATE TABLE fee (
    payment      uuid PRIMARY KEY REFERENCES transfer,
    currency     text NOT NULL,
    -- As they were when it was paid.
    basis_points int NOT NULL,
    kept         bigint NOT NULL CONSTRAINT fee_kept CHECK (kept >= 0)
);

-- fee: the house takes its part. fee_return: it gives the part of a refund back.
ALTER TABLE transfer DROP CONSTRAINT transfer_kind;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind CHECK (kind IN (
    'payment', 'refund', 'promo_activation', 'promo_generation', 'opening', 'deposit', 'withdrawal', 'payout', 'send',
    'sale', 'loss', 'receivable', 'settlement', 'unclaimed', 'claim', 'fee', 'fee_return')) NOT VALID;

REVOKE ALL ON commission, fee FROM wharf_payments;
GRANT SELECT ON commission, fee TO wharf_payments;
