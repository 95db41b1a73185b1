-- A payment as statements read it, moments in milliseconds.
CREATE OR REPLACE FUNCTION show_payment(it payment)
RETURNS TABLE (id bigint, status text, approved_at bigint, updated_at bigint)
LANGUAGE sql STABLE AS $$
    SELECT it.id, it.status, millis(it.approved_at), millis(it.updated_at)
$$;
