-- A payment as statements read it, moments in milliseconds.
CREATE OR REPLACE FUNCTION show_payment(it payment)
RETURNS TABLE (
    id uuid, payer uuid, payee uuid, amount bigint, currency text, reference text, refunded bigint, held bigint,
    created_at bigint
)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.payer, it.payee, it.amount, it.currency, it.reference, it.refunded, it.held,
        millis(it.created_at)
$$;

-- Functions of this schema are granted by name.
REVOKE ALL ON FUNCTION show_payment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION show_payment TO wharf_payments;
