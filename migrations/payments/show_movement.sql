-- The result of a request to move money, as statements read it: moments in milliseconds, and whether an earlier request
-- with the same id had moved it already. A refusal has only its outcome and, when more was to be refunded than is left, the
-- rest of the payment.
CREATE OR REPLACE FUNCTION show_movement(it movement)
RETURNS TABLE (outcome text, id uuid, amount bigint, credit_balance bigint, created_at bigint, replayed bool)
LANGUAGE sql STABLE AS $$
    SELECT it.outcome, it.id, it.amount, it.credit_balance, millis(it.created_at), it.outcome = 'replayed'
$$;

-- Functions of this schema are granted by name.
REVOKE ALL ON FUNCTION show_movement FROM PUBLIC;
GRANT EXECUTE ON FUNCTION show_movement TO wharf_payments;
