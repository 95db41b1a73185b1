-- What waits for a payer, or has to be sent back, is visited apart from what is settled and only watched.

ALTER TABLE checkout
    ADD is_aftercare bool NOT NULL DEFAULT false,
    -- The transfer that brought the money back after a dispute was won.
    ADD restored_by uuid REFERENCES transfer;

UPDATE checkout SET is_aftercare = true
WHERE visit_at IS NOT NULL AND NOT is_open(status)
    AND NOT EXISTS (SELECT FROM psp_payment WHERE psp_payment.checkout = checkout.id AND verdict = 'returning')
    AND NOT EXISTS (SELECT FROM part_refund WHERE part_refund.checkout = checkout.id AND part_refund.status = 'owed');

DROP INDEX checkout_to_visit;
CREATE INDEX checkout_urgent ON checkout (visit_at) WHERE visit_at IS NOT NULL AND NOT is_aftercare;
CREATE INDEX checkout_aftercare ON checkout (visit_at) WHERE visit_at IS NOT NULL AND is_aftercare;

ALTER TABLE psp_payment
    -- Why, in the provider's words.
    ADD detail text,
    -- The provider took it back from us; nothing here asked for that. A dispute that is won gives it back.
    ADD is_taken_back bool NOT NULL DEFAULT false;
