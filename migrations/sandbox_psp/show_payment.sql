-- A payment as statements read it, moments in milliseconds.
DROP FUNCTION IF EXISTS show_payment(payment);
CREATE FUNCTION show_payment(it payment)
RETURNS TABLE (id bigint, status text, refunded bigint, approved_at bigint, updated_at bigint)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.status, (SELECT coalesce(sum(amount), 0)::bigint FROM refund WHERE payment = it.id),
        millis(it.approved_at), millis(it.updated_at)
$$;
